import type { BoundColumn, BoundModel } from '../definition/index.js'
import { columnOf, keyColumns, streamIdSql } from './compile-encode.js'
import { qualified } from './ident.js'
import { keyColumnSql, type TypedKey } from './key-range.js'

/**
 * SQL of the row of a stream, for `left join lateral (...) as r on ...`: `r.found` is true where there is one, `r.c0`,
 * `r.c1`, ... are the model's columns in their order. `id` is SQL of the stream's id; only looked for where `when` holds
 * (within the subquery it's a one-time filter; as a condition of the join it would come after the probe).
 *
 * Found by the typed key, so that the unique index answers, and by the key's text, since numeric 1.0 and 1.00 are equal
 * and yet another row than the events speak of. LIMIT keeps the planner from pulling the probe up into a hash of the
 * whole table, once per range. An id that is none of this key raises class 22.
 */
export function rowOfStreamSql(
  model: BoundModel,
  key: TypedKey,
  { id, when = 'true' }: { readonly id: string; readonly when?: string },
): string {
  const row = columnOf('t')
  const columns = model.columns.map((column, slot) => `${row(column)} as ${rowColumn(slot)}`)
  return `
      select ${['true as found', ...columns].join(', ')}
      from ${qualified(model.schema, model.table)} as t
      where ${when}
        and ${isRowOfStreamSql(model, key, id)}
      limit 1`
}

/** SQL condition on alias `t` of the legacy table: it's the row of the stream with this id (SQL). See `rowOfStreamSql`. */
export function isRowOfStreamSql(model: BoundModel, key: TypedKey, id: string): string {
  const row = columnOf('t')
  const probes = keyColumns(model).map((column, part) => {
    const keyColumn = key.columns.find(({ name }) => name === column.name)
    const equal = keyColumn?.equal ?? 'operator(pg_catalog.=)'
    const left = keyColumn === undefined ? row(column) : keyColumnSql(keyColumn, 't')
    return `${left} ${equal} ${keyPartSql(model, column, part, id)}`
  })
  return `${probes.join('\n        and ')}
        and ${streamIdSql(model, row)} = ${id} collate "C"`
}

/** The name under which `rowOfStreamSql` gives the column in this slot. */
export function rowColumn(slot: number): string {
  return `c${slot}`
}

/**
 * SQL of a part of the key, of its type, from SQL of the stream's id.
 *
 * Through jsonb, which has no collation: an id's collation C would otherwise win over the key column's and the index
 * could not be used.
 */
export function keyPartSql(model: BoundModel, column: BoundColumn, part: number, id: string): string {
  const text =
    model.key.length > 1
      ? `(${id}::pg_catalog.jsonb ->> ${part})`
      : column.encoding === 'number'
        ? id
        : `(pg_catalog.to_jsonb(${id}) #>> '{}')`
  return `${text}::${column.castType}`
}
