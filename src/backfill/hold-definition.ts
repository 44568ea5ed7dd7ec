import type { Session } from '../db/index.js'
import { GateError, shellWord } from '../errors/index.js'
import { sql } from '../sql/index.js'
import { lockDefinition, refusePendingRestart } from '../store/index.js'
import type { BackfillJob } from './backfill-job.js'

/**
 * First in each transaction of a run: holds the definition (shared), so that whoever archives or redefines these events
 * waits for us, or we see that it's done. Bounds how long a process that hangs in the middle (a suspended laptop) keeps
 * others waiting.
 *
 * @throws GateError EW_RUN_DEFINITION where another definition was installed; UsageError EW_RESTART_PENDING.
 */
export async function holdDefinition(session: Session, job: BackfillJob): Promise<void> {
  await session.execute({
    text: `set local idle_in_transaction_session_timeout = ${job.limits.idleMs}`,
    values: [],
  })
  await lockDefinition(session, job.model, 'shared')
  const [installed] = await session.rows<{ hash: string }>(sql`
    select hash
    from eventward.aggregates
    where aggregate_type = ${job.model.name}::text`)
  if (installed?.hash !== job.model.hash) {
    throw new GateError(
      'EW_RUN_DEFINITION',
      `${job.tableName}: another definition was installed while run ${job.run.id} was at work`,
      {
        next: `Run \`eventward backfill ${shellWord(job.tableName)}\` again, with the definition that is meant.`,
        details: { table: job.tableName, run: job.run.id },
      },
    )
  }
  await refusePendingRestart(session, job.model)
}
