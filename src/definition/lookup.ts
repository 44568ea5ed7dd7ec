import type { Constant, TableDescription } from './model.js'
import type { AnyTable, TableRow } from './table-types.js'

/** A row of a lookup table, by what it holds. */
export interface Lookup {
  readonly kind: 'lookup'
  readonly table: TableDescription
  readonly where: Readonly<Record<string, Constant>>
}

/**
 * Sets a column to the key of a row of another table, found by its columns: ids differ between environments. It is
 * resolved, and pinned, when the definition is bound to a database; exactly one row must match.
 *
 * @example
 * set: { status_id: lookup(tables.order_statuses, { code: 'shipped' }) }
 */
export function lookup<T extends AnyTable>(
  table: T,
  where: { readonly [C in keyof TableRow<T>]?: TableRow<T>[C] },
): Lookup {
  return Object.freeze({
    kind: 'lookup',
    table,
    // The row interface's members are constants; `object`, its bound, does not say so.
    where: Object.freeze({ ...where }) as Readonly<Record<string, Constant>>,
  })
}
