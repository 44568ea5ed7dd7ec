import type { Database } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import type { CutoverOptions, CutoverResult } from './cutover-result.js'
import { moveOn } from './move-on.js'

/**
 * Makes a table's events its truth: `dual_write -> event_first`. Refused by the gate, the result says why, line by line,
 * and no lock was taken. SHARE ROW EXCLUSIVE on the table within the bound, each try.
 *
 * @throws as `moveOn`
 */
export function advance(
  database: Database,
  definition: AggregateDefinition,
  options: CutoverOptions = {},
): Promise<CutoverResult> {
  return moveOn(database, definition, { action: 'advance', from: 'dual_write', to: 'event_first' }, options)
}

/**
 * Closes the way back for good: `event_first -> complete`. The same gate, but for the way back; the same lock. The
 * caller has made sure that this is meant.
 *
 * @throws as `moveOn`
 */
export function complete(
  database: Database,
  definition: AggregateDefinition,
  options: CutoverOptions = {},
): Promise<CutoverResult> {
  return moveOn(database, definition, { action: 'complete', from: 'event_first', to: 'complete' }, options)
}
