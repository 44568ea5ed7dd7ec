import { captureObstacles, captureStatus } from '../capture/index.js'
import { type CatalogTable, unsupportedReasons } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { type Finding, fine, found } from './finding.js'

/** Looks at capture: is it whole where it's on, and what would refuse it where it's off? */
export async function checkCaptures(
  session: Session,
  aggregates: readonly AggregateDefinition[],
  tables: readonly CatalogTable[],
): Promise<readonly Finding[]> {
  const all: Finding[] = []
  for (const definition of aggregates) {
    const table = tableName(definition.table)
    const { capture, problems } = await captureStatus(session, definition)
    if (capture === 'on' && problems.length === 0) all.push(fine('capture', 'on, and whole', table))
    for (const { what, next, broken } of problems) {
      all.push(found(broken ? 'stop' : 'warn', 'capture', what, next, table))
    }
  }
  // A table that is chosen must be captured sooner or later; of the others it's good to know.
  const severity = aggregates.length === 0 ? 'warn' : 'stop'
  const known = new Set(all.map((finding) => finding.table))
  for (const live of tables) {
    const table = tableName(live)
    if (known.has(table) || unsupportedReasons(live).length > 0) continue
    for (const { code, what, next } of await captureObstacles(session, live)) {
      // `owner` tells of rights already.
      if (code !== 'EW_CAPTURE_OWNER') all.push(found(severity, 'capture', what, next, table))
    }
  }
  return all
}
