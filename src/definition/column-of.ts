import { UsageError } from '../errors/index.js'
import type { ColumnDescription, TableDescription } from './model.js'
import { nearestName } from './nearest-name.js'

/** A message lists this many columns at most: a screen's worth. */
const SHOWN = 30

/**
 * The description of a column.
 *
 * @param where what names it, for the message: `Subscription.Activated`.
 * @throws UsageError EW_COLUMN_UNKNOWN, with the nearest name.
 */
export function columnOf(table: TableDescription, name: string, where: string): ColumnDescription {
  const column = Object.hasOwn(table.columns, name) ? table.columns[name] : undefined
  if (column !== undefined) return column
  const names = Object.keys(table.columns)
  const shown = `${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ', …' : ''}`
  throw new UsageError(
    'EW_COLUMN_UNKNOWN',
    `${where}: ${table.schema}.${table.name} has no column ${JSON.stringify(name)}`,
    {
      next: `${nearestName(name, names)}Its columns: ${shown}.`,
      details: { schema: table.schema, table: table.name, column: name },
    },
  )
}
