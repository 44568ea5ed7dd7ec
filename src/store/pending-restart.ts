import type { Session } from '../db/index.js'
import { tableName } from '../definition/index.js'
import { shellWord, UsageError } from '../errors/index.js'
import { resumableRun } from './runs.js'

/** The command under which a restart is noted as a run. */
export const RESTART = 'backfill --restart'

/**
 * Refuses to go on while a restart of the table is half done. Ask it under the definition's lock: before it, one may
 * begin at any time.
 *
 * @throws UsageError EW_RESTART_PENDING
 */
export async function refusePendingRestart(
  session: Session,
  { schema, table }: { readonly schema: string; readonly table: string },
): Promise<void> {
  const pending = await resumableRun(session, { command: RESTART, schema, table })
  if (pending !== null) throw restartPending(tableName({ schema, name: table }))
}

/** What a backfill or a verify says while a restart is half done. */
export function restartPending(table: string): UsageError {
  return new UsageError('EW_RESTART_PENDING', `${table}: a backfill --restart was begun and not ended`, {
    next: `Run \`eventward backfill ${shellWord(table)} --restart --confirm ${shellWord(table)}\`: it goes on from there.`,
    details: { table },
  })
}
