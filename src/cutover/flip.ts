import { type Session, sqlstateOf } from '../db/index.js'
import { GateError, shellWord, UsageError } from '../errors/index.js'
import { sql } from '../sql/index.js'
import type { Phase } from './cutover-result.js'
import type { Cutover } from './open-cutover.js'

/**
 * Changes the phase by `eventward.flip`, the one piece of code that does; gives the phase that was. Takes SHARE ROW
 * EXCLUSIVE on the table, where the caller hasn't got it.
 *
 * @throws UsageError EW_PHASE where no step leads there; GateError EW_CAPTURE_BROKEN where capture isn't sound.
 */
export async function flip(session: Session, { definition, table }: Cutover, to: Phase): Promise<Phase> {
  try {
    const { was } = await session.one<{ was: Phase }>(sql`
      select eventward.flip(${definition.name}::text, ${to}::text) as was`)
    return was
  } catch (error) {
    const sqlstate = sqlstateOf(error) ?? ''
    const said = serverWords(error)
    if (sqlstate === 'EW005')
      throw new UsageError('EW_PHASE', said, {
        next: `Look at \`eventward cutover ${shellWord(table)} status\`.`,
        details: { table },
        cause: error,
      })
    if (['EW004', 'EW007', 'EW009'].includes(sqlstate))
      throw new GateError('EW_CAPTURE_BROKEN', said, {
        next: `Look at \`eventward capture status ${shellWord(table)}\`.`,
        details: { table },
        cause: error,
      })
    throw error
  }
}

/** Without the server's address, which the outer message begins with. */
function serverWords(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return inner instanceof Error ? inner.message : String(inner)
}
