import type { Session } from '../db/index.js'
import { sql } from '../sql/index.js'
import type { ImportTarget } from './import-target.js'
import { type Reference, type TableOrder, tableOrder } from './table-order.js'

/**
 * In which order tables are filled, aggregates by name.
 *
 * @throws UsageError EW_IMPORT_CIRCLE
 */
export async function fillingOrder(session: Session, targets: readonly ImportTarget[]): Promise<TableOrder> {
  const names = new Map(targets.map(({ table, definition }) => [table.oid, definition.name]))
  const rows = await session.rows<
    Record<'constraint' | 'from' | 'to' | 'columns' | 'nullable' | 'full', string>
  >(sql`
    select f.conname::text as constraint, f.conrelid as from, f.confrelid as to,
      f.confmatchtype = 'f' as full,
      json_agg(a.attname order by k.n) as columns,
      coalesce(json_agg(a.attname order by k.n) filter (where not a.attnotnull), '[]') as nullable
    from pg_constraint f
    cross join unnest(f.conkey) with ordinality k (num, n)
    join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.num
    where f.contype = 'f'
      and f.conparentid = 0
      and f.conrelid = any (${[...names.keys()]}::oid[])
      and f.confrelid = any (${[...names.keys()]}::oid[])
    group by f.oid, f.conname, f.conrelid, f.confrelid, f.confmatchtype
    order by f.conname, f.conrelid`)
  const references = rows.map((row): Reference => {
    const columns = JSON.parse(row.columns) as readonly string[]
    const nullable = JSON.parse(row.nullable) as readonly string[]
    return {
      constraint: row.constraint,
      from: names.get(row.from) ?? '',
      to: names.get(row.to) ?? '',
      columns,
      // MATCH FULL: all of them are NULL, or none.
      nullable: row.full === 't' && nullable.length < columns.length ? [] : nullable,
    }
  })
  return tableOrder(
    targets.map(({ definition }) => definition.name),
    references,
  )
}
