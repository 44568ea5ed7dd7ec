import type { Session } from '../db/index.js'
import type { BoundModel } from '../definition/index.js'
import type { EventsTable } from '../migrate/index.js'
import { ident, qualified, raw, sql } from '../sql/index.js'

/**
 * Sets the sequences that a table's columns draw from past what is in the rows, and past the key of every stream, ended
 * ones too: a key that is given out again would go on with somebody else's stream. Moves none back.
 */
export async function moveSequences(session: Session, events: EventsTable, model: BoundModel): Promise<void> {
  const found = await session.rows<Record<'column' | 'sequence' | 'up' | 'min' | 'max', string>>(sql`
    select distinct a.attname::text as column, s.seqrelid as sequence, s.seqincrement > 0 as up,
      s.seqmin as min, s.seqmax as max
    from pg_attribute a
    left join pg_attrdef v on v.adrelid = a.attrelid and v.adnum = a.attnum
    join pg_depend d on d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
        and d.refobjid = a.attrelid and d.refobjsubid = a.attnum and d.deptype in ('a', 'i')
      or d.classid = 'pg_attrdef'::regclass and d.objid = v.oid and d.refclassid = 'pg_class'::regclass
    join pg_sequence s on s.seqrelid in (d.objid, d.refobjid)
    where a.attrelid = ${qualified(model.schema, model.table)}::regclass
      and a.attnum > 0`)
  for (const { column, sequence, up, min, max } of found) {
    const last = up === 't' ? 'max' : 'min'
    const ofKey = model.key.length === 1 && model.key[0] === column
    const ids = ofKey
      ? sql`
        union all
        select e.aggregate_id::numeric
        from ${raw(qualified(events.schema, events.table))} e
        where e.aggregate_type = ${model.name}::text
          and e.version = 1`
      : sql``
    await session.rows(sql`
      select setval(${sequence}::oid::regclass, v.last::bigint)
      from (
        select ${raw(last)}(u.value) as last
        from (
          select t.${raw(ident(column))}::numeric as value
          from ${raw(qualified(model.schema, model.table))} t${ids}
        ) u
        where u.value between ${min}::numeric and ${max}::numeric
      ) v
      where v.last is not null
        and (pg_sequence_last_value(${sequence}::oid::regclass) is null
          or ${raw(up === 't' ? 'v.last >' : 'v.last <')} pg_sequence_last_value(${sequence}::oid::regclass))`)
  }
}
