import type { Database } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { EventwardError } from '../errors/index.js'
import { captureOff } from './capture-off.js'
import { captureOn, checkCapture } from './capture-on.js'
import type { CaptureFailure, CaptureOptions, CaptureResult } from './capture-result.js'

/**
 * Turns capture of several tables on or off, one after the other. All are looked at before the first is begun. A table
 * whose lock is not to be had is told of, and the others are gone on with.
 *
 * @throws as `captureOn` and `captureOff`, where no table can be begun or the server is gone
 */
export async function captureAll(
  database: Database,
  definitions: readonly AggregateDefinition[],
  action: 'on' | 'off',
  options: CaptureOptions = {},
): Promise<readonly (CaptureResult | CaptureFailure)[]> {
  if (action === 'on') {
    await database.session(async (session) => {
      for (const definition of definitions) await checkCapture(session, definition, options)
    })
  }
  const turn = action === 'on' ? captureOn : captureOff
  const results: (CaptureResult | CaptureFailure)[] = []
  for (const definition of definitions) {
    try {
      results.push(await turn(database, definition, options))
    } catch (error) {
      if (definitions.length === 1 || !(error instanceof EventwardError)) throw error
      results.push({ table: tableName(definition.table), error })
      if (!GOES_ON.has(error.code)) break
    }
  }
  return results
}

/** What is the matter with one table alone. */
const GOES_ON: ReadonlySet<string> = new Set([
  'EW_LOCK_BUSY',
  'EW_BUSY',
  'EW_PHASE',
  'EW_TABLE_MOVED',
  'EW_CAPTURE_BROKEN',
])
