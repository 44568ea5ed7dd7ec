import type { CatalogColumn, CatalogTable } from '../catalog/index.js'
import { words } from './words.js'

/** More distinct values than this are no lifecycle. */
export const MOST_STATUSES = 12

/**
 * The columns that may hold a status: an enum whose name ends with status, state, stage or phase; a text which is
 * called so, or ends with _status, _stage or _phase. Not every enum: a film's rating is no lifecycle.
 */
export function statusColumns(table: CatalogTable): readonly CatalogColumn[] {
  const key = new Set(table.key?.columns.map(({ name }) => name))
  return table.columns.filter(
    (column) => !column.generated && !key.has(column.name) && isStatus(column) && !isPlace(column, table),
  )
}

/** True where the values can't be a lifecycle: too many, none, or codes of two capitals such as states of the US. */
export function arePlaces(values: readonly string[]): boolean {
  return (
    values.length > MOST_STATUSES || (values.length > 0 && values.every((value) => /^[A-Z]{2}$/.test(value)))
  )
}

function isStatus(column: CatalogColumn): boolean {
  const parts = words(column.name)
  const last = parts.at(-1) ?? ''
  if (!['status', 'state', 'stage', 'phase'].includes(last)) return false
  if (column.enumLabels !== null) return true
  const text = column.baseTypeSchema === 'pg_catalog' && ['text', 'varchar'].includes(column.baseTypeName)
  return text && (last !== 'state' || parts.length === 1)
}

/** The state of an address stands beside its city, country or postal code. */
function isPlace(column: CatalogColumn, table: CatalogTable): boolean {
  if (column.enumLabels !== null || words(column.name).at(-1) !== 'state') return false
  return table.columns.some(({ name }) => words(name).some((word) => PLACES.has(word)))
}

const PLACES: ReadonlySet<string> = new Set(
  'city country county zip zipcode postal postcode street'.split(' '),
)
