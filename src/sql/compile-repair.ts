import type { BoundColumn, BoundModel } from '../definition/index.js'
import type { EventsName } from './compile-fold.js'
import { instantSql, ofInstantSql } from './compile-instant.js'
import type { VerifySource } from './compile-verify-streams.js'
import { ident, qualified } from './ident.js'
import type { Query } from './query.js'
import { isRowOfStreamSql } from './row-of-stream.js'
import { raw, sql } from './sql-tag.js'

/** The one parameter of the statements about one row. */
const ID = '$1::pg_catalog.text'

/**
 * SQL that locks the row of a stream FOR NO KEY UPDATE: one row where it's there. What it holds must be read in a
 * statement of its own: this one's snapshot may be older than the lock.
 */
export function compileLockRow({ model, key }: VerifySource, id: string): Query {
  return {
    text: `
    select true as found
    from ${qualified(model.schema, model.table)} as t
    where ${isRowOfStreamSql(model, key, ID)}
    for no key update`,
    values: [id],
  }
}

/** SQL that updates the row of a stream to itself: all triggers of an update fire, nothing else happens. */
export function compileTouchRow({ model, key }: VerifySource, id: string, column: string): Query {
  return {
    text: `
    update ${qualified(model.schema, model.table)} as t
    set ${ident(column)} = t.${ident(column)}
    where ${isRowOfStreamSql(model, key, ID)}`,
    values: [id],
  }
}

/** An event to append; texts as they are to be stored. */
export interface NewEvent {
  readonly type: string
  readonly schemaVersion: number
  /** JSON text. */
  readonly data: string
  /** JSON text. */
  readonly metadata: string
  /** timestamptz text. */
  readonly occurredAt: string
  /** No column told the time: never before the previous event's recorded_at. */
  readonly inferred: boolean
}

/**
 * SQL that appends events to a stream, behind its last one; its row count tells how many. Whoever finds fewer than were
 * given has lost against another writer of the same versions, and rolls back.
 */
export function compileAppendEvents(
  model: Pick<BoundModel, 'name'>,
  events: EventsName,
  id: string,
  appended: readonly NewEvent[],
): Query {
  const texts = (of: (event: NewEvent) => string) => appended.map(of)
  const target = raw(qualified(events.schema, events.table))
  return sql`
    insert into ${target} (aggregate_type, aggregate_id, version, type, schema_version, data, metadata, occurred_at)
    select ${model.name}::text, ${id}::text, h.version + a.place, a.type, a.schema_version, a.data::jsonb,
      a.metadata::jsonb || case when a.inferred then '{"inferred":true}'::jsonb else '{}'::jsonb end,
      case when a.inferred then greatest(a.occurred_at, h.recorded_at) else a.occurred_at end
    from (
      select coalesce(max(e.version), 0) as version, max(e.recorded_at) as recorded_at
      from ${target} as e
      where e.aggregate_type = ${model.name}::text
        and e.aggregate_id = ${id}::text
    ) as h
    cross join unnest(
      ${texts(({ type }) => type)}::text[],
      ${texts(({ schemaVersion }) => String(schemaVersion))}::integer[],
      ${texts(({ data }) => data)}::text[],
      ${texts(({ metadata }) => metadata)}::text[],
      ${texts(({ occurredAt }) => occurredAt)}::timestamptz[],
      ${texts(({ inferred }) => String(inferred))}::boolean[]
    ) with ordinality as a (type, schema_version, data, metadata, occurred_at, inferred, place)
    order by a.place
    on conflict do nothing`
}

/**
 * SQL of the instants that these texts of bound columns mean: `utc` and `local` (the timestamp in the model's zone), in
 * their order; NULL where a text means none. Only the server may say what a local time means in a zone with a daylight
 * saving time.
 */
export function compileInstants(
  model: BoundModel,
  texts: readonly { readonly column: BoundColumn; readonly text: string }[],
): Query {
  const branches = texts.map(({ column }, index) => {
    const instant = instantSql(column, `$${index + 1}::${column.castType}`, model.timeZone)
    const local = ofInstantSql({ ...column, temporal: 'timestamp' }, `(${instant})`, model.timeZone)
    return `select ${index} as place, (${instant})::pg_catalog.text as utc, (${local})::pg_catalog.text as local`
  })
  return { text: `${branches.join('\nunion all\n')}\norder by place`, values: texts.map(({ text }) => text) }
}
