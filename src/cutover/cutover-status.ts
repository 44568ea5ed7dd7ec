import type { Database } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import type { CutoverOptions, CutoverResult } from './cutover-result.js'
import { checkGate } from './gate.js'
import { openCutover, readCaptured } from './open-cutover.js'
import { readFacts } from './read-facts.js'

/** Says where a table stands and what the gate would say. Reads only; takes no lock on the table that a write meets. */
export async function cutoverStatus(
  database: Database,
  definition: AggregateDefinition,
  options: CutoverOptions = {},
): Promise<CutoverResult> {
  return database.session(async (session) => {
    const cutover = await openCutover(session, definition, options)
    const captured = await readCaptured(session, definition.name)
    const facts = await readFacts(session, cutover, captured, options.freshnessSeconds ?? 3_600)
    const phase = captured?.phase ?? 'legacy'
    return {
      table: cutover.table,
      action: 'status',
      ok: true,
      from: phase,
      to: phase,
      since: captured?.phaseSince ?? null,
      attempts: 0,
      lockedMs: null,
      longestWaitMs: 0,
      gate: phase === 'complete' ? [] : checkGate(facts),
      reverified: null,
      differences: [],
      run: null,
    }
  })
}
