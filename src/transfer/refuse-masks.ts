import type { BoundAggregate } from '../bind/index.js'
import type { Session } from '../db/index.js'
import { tableName } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { sql } from '../sql/index.js'
import type { ExportedAggregate } from './export-header.js'
import { formOf, type Mask, type Masks, masksOf } from './mask.js'

/** An aggregate of which masks are asked, bound, and as the export tells of it. */
export interface MaskedAggregate {
  readonly bound: BoundAggregate
  readonly exported: ExportedAggregate
}

/** Columns whose values an export tells beside the data of events: the stream's id, what events set by themselves. */
export function refuseKept({ exported, bound }: MaskedAggregate, name: string, where: string): void {
  if (exported.key.includes(name)) {
    throw new UsageError('EW_MASK_KEY', `${where} is part of the key, which names the stream of each row`, {
      next: 'Keep it: other tables refer to it, and to events of its stream. Give the table a key without meaning first.',
      details: { column: name },
    })
  }
  const set = exported.definitions.find(
    ({ shape }) => shape.bound.includes(name) || shape.constants.some(({ column }) => column === name),
  )
  if (set === undefined && bound.model.updatedAt !== name) return
  const how = set === undefined ? 'is the time of the last update' : `is set by ${set.type} itself`
  throw new UsageError('EW_MASK_SET', `${where} ${how}: which events there are tells it, masked or not`, {
    next: 'Leave the mask out.',
    details: { column: name, event: set?.type ?? null },
  })
}

/**
 * What the constraints of the tables say against masks: that would be found when the rows are written elsewhere, and
 * after all events. A reference is kept where both of its ends have the same hash.
 */
export async function refuseUnmasked(
  session: Session,
  aggregates: readonly MaskedAggregate[],
  masks: Masks,
): Promise<void> {
  const byOid = new Map(aggregates.map((aggregate) => [aggregate.bound.table.oid, aggregate]))
  const constraints = await readConstraints(session, [...byOid.keys()])
  const maskAt = (oid: string, column: string): Mask | undefined => {
    const aggregate = byOid.get(oid)
    return aggregate === undefined ? undefined : masksOf(aggregate.exported, masks)[column]
  }
  for (const { kind, oid, columns, other, otherColumns } of constraints) {
    const aggregate = byOid.get(oid)
    if (kind !== 'reference') {
      for (const column of aggregate === undefined ? [] : columns)
        refuseDouble(aggregate, column, { mask: maskAt(oid, column), nulls: kind === 'unique' })
      continue
    }
    columns.forEach((column, place) => {
      const here = maskAt(oid, column)
      const there = maskAt(other, otherColumns[place] ?? '')
      if ((here === undefined && there === undefined) || here === 'null') return
      const at = formAt(aggregate, column, here)
      if (here === there && at !== null && at === formAt(byOid.get(other), otherColumns[place] ?? '', there))
        return
      throw new UsageError(
        'EW_MASK_REFERENCE',
        `${nameOf(aggregate, oid)}.${column} refers to ${nameOf(byOid.get(other), other)}.${otherColumns[place] ?? ''}: masked apart, no row would find the other`,
        {
          next: 'Mask both by hash, where they are of one type, or neither.',
          details: { column, refersTo: otherColumns[place] ?? '' },
        },
      )
    })
  }
}

function nameOf(aggregate: MaskedAggregate | undefined, oid: string): string {
  if (aggregate === undefined) return `another table (oid ${oid})`
  const { schema, table } = aggregate.exported
  return tableName({ schema, name: table })
}

/** Fewer would meet by chance in a table of millions of rows. */
const ENOUGH_BITS = 60

/** `nulls`: whether any number of NULLs may stand beside each other. */
function refuseDouble(
  aggregate: MaskedAggregate | undefined,
  name: string,
  { mask, nulls }: { readonly mask: Mask | undefined; readonly nulls: boolean },
): void {
  if (aggregate === undefined || mask === undefined || (mask === 'null' && nulls)) return
  const where = `${nameOf(aggregate, '')}.${name}`
  const live = aggregate.bound.table.columns.find((column) => column.name === name)
  if (live === undefined) return
  const enough = (mask === 'hash' || mask === 'email') && formOf(live, mask, where).bits >= ENOUGH_BITS
  if (enough) return
  throw new UsageError('EW_MASK_UNIQUE', `${where} is unique, and two rows would have the same mask`, {
    next: 'Mask it by hash where its type is long enough for one, or as null.',
    details: { column: name },
  })
}

/** One text of it tells one form from another; null where the mask has none. */
function formAt(aggregate: MaskedAggregate | undefined, name: string, mask: Mask | undefined): string | null {
  const live = aggregate?.bound.table.columns.find((column) => column.name === name)
  if (live === undefined || (mask !== 'hash' && mask !== 'email')) return null
  return formOf(live, mask, name).write('fedcba9876543210'.repeat(2))
}

interface Constraint {
  /** `single`: unique, and NULLs count as equal. */
  readonly kind: 'unique' | 'single' | 'reference'
  readonly oid: string
  readonly columns: readonly string[]
  readonly other: string
  readonly otherColumns: readonly string[]
}

async function readConstraints(session: Session, oids: readonly string[]): Promise<readonly Constraint[]> {
  const { found } = await session.one<{ found: string }>(sql`
    select coalesce(json_agg(json_build_object('kind', c.kind, 'oid', c.oid::text, 'columns', c.columns,
      'other', c.other::text, 'otherColumns', c.other_columns)), '[]') as found
    from (
      select 'reference' as kind, f.conrelid as oid, f.confrelid as other,
        (select array_agg(a.attname::text order by k.n) from unnest(f.conkey) with ordinality k (num, n)
          join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.num) as columns,
        (select array_agg(a.attname::text order by k.n) from unnest(f.confkey) with ordinality k (num, n)
          join pg_attribute a on a.attrelid = f.confrelid and a.attnum = k.num) as other_columns
      from pg_constraint f
      where f.contype = 'f'
        and f.conparentid = 0
        and (f.conrelid = any (${oids}::oid[]) or f.confrelid = any (${oids}::oid[]))
      union all
      -- Of an expression (lower(email)) the columns are told by what the index depends on.
      select case when pg_get_indexdef(i.indexrelid) like '% NULLS NOT DISTINCT%' then 'single' else 'unique' end,
        i.indrelid, 0,
        (select coalesce(array_agg(a.attname::text), '{}')
          from pg_attribute a
          where a.attrelid = i.indrelid
            and a.attnum > 0
            and (a.attnum = any (i.indkey[0:i.indnkeyatts - 1])
              or i.indexprs is not null and exists (
                select from pg_depend d
                where d.classid = 'pg_class'::regclass and d.objid = i.indexrelid
                  and d.refclassid = 'pg_class'::regclass and d.refobjid = i.indrelid and d.refobjsubid = a.attnum))),
        array[]::text[]
      from pg_index i
      where (i.indisunique or i.indisexclusion)
        and i.indrelid = any (${oids}::oid[])
    ) c`)
  return JSON.parse(found) as readonly Constraint[]
}
