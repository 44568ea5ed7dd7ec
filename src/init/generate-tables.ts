import { readTables, unsupportedReasons } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import { tableName } from '../definition/index.js'
import { readOwnTables } from '../migrate/index.js'
import { renderTables } from './render-tables.js'

/**
 * The text of `eventward.tables.ts` for the tables of some schemas that can be moved; with `tables` (as the command
 * line names them) for those only. Reads the catalog.
 */
export async function generateTables(
  session: Session,
  schemas: readonly string[],
  tables?: readonly string[],
): Promise<string> {
  const ours = await readOwnTables(session)
  const all = await readTables(session, schemas)
  return renderTables(
    all.filter(
      (table) =>
        !ours.has(table.oid) &&
        (tables === undefined || tables.includes(tableName(table))) &&
        unsupportedReasons(table).length === 0,
    ),
  )
}
