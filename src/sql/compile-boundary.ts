import type { BoundModel } from '../definition/index.js'
import { ident, qualified } from './ident.js'
import { keyJson, keyOrder, keyRange, type TypedKey } from './key-range.js'
import type { Query } from './query.js'
import { raw, sql } from './sql-tag.js'

/** The key `size` rows after `after`, at the most `upTo`: `{ boundary }`, a JSON array of texts, or no row. */
export function compileBoundary(
  model: BoundModel,
  key: TypedKey,
  range: {
    readonly after: readonly string[] | null
    readonly upTo: readonly string[]
    readonly size: number
  },
): Query {
  return sql`
  select ${keyOf(model)} as boundary
  from ${raw(qualified(model.schema, model.table))} a
  where ${keyRange(key, 'a', range.after, range.upTo)}
  order by ${raw(keyOrder(key, 'a'))}
  offset ${String(range.size - 1)}::bigint
  limit 1`
}

/** The greatest key of a table: `{ greatest }`, a JSON array of texts, or no row where the table is empty. */
export function compileGreatestKey(model: BoundModel, key: TypedKey): Query {
  return sql`
  select ${keyOf(model)} as greatest
  from ${raw(qualified(model.schema, model.table))} a
  order by ${raw(keyOrder(key, 'a', 'greater'))}
  limit 1`
}

function keyOf(model: BoundModel) {
  return raw(keyJson(model, (name) => `a.${ident(name)}`))
}
