import type { Database } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { streamId } from '../encode/index.js'
import { EventwardError, StoppedError, shellWord } from '../errors/index.js'
import { leftChunks, progressOf, settleRun } from '../store/index.js'
import { type BackfillJob, MAX_ATTEMPTS } from './backfill-job.js'
import type { BackfillOptions, BackfillResult, LeftRow } from './backfill-result.js'
import { checkOptions } from './check-options.js'
import { dryRun } from './dry-run.js'
import { holdCapture } from './hold-capture.js'
import { openBackfill } from './open-backfill.js'
import { reportProgress } from './report-progress.js'
import { restart } from './restart.js'
import { turnOnAgain } from './restart-capture.js'
import { newTeam, work } from './worker.js'

/** Rows left that a result lists. */
const LEFT_SHOWN = 100

/**
 * Writes the events of a table's rows: those up to the greatest key at the start which have no stream yet. Locks no row
 * and never keeps an application waiting; may be stopped, killed, run again, and run by several processes at once.
 *
 * @example
 * const result = await backfill(database, Subscription, { workers: 4, signal })
 *
 * @throws UsageError or GateError where it is refused (nothing is changed then); StoppedError EW_STOPPED after the
 * signal; DatabaseError where the server goes away, EW_TABLE_LOCKED where the table stays locked. Run again after each.
 */
export async function backfill(
  database: Database,
  definition: AggregateDefinition,
  options: BackfillOptions = {},
): Promise<BackfillResult> {
  checkOptions(definition, options)
  if (options.dryRun === true) return dryRun(database, definition, options)
  if (options.restart === true) await restart(database, definition, options)
  // A restart that was killed after it had turned capture off and archived.
  else await turnOnAgain(database, definition, options)
  const job = await openBackfill(database, definition, options)
  const report = reportProgress(job)
  const team = newTeam(job, report)
  await runWorkers(job, options.signal, (signal) => work(job, team, signal))
  const progress = await database.session((session) => progressOf(session, job.run.id, MAX_ATTEMPTS))
  report.last(progress)
  const complete = progress.planned && progress.todo === '0'
  if (options.signal?.aborted === true && !complete) throw await stopped(job)
  await refuseOtherEpoch(job)
  await settle(job, { capture: job.capture !== null })
  return {
    table: job.tableName,
    rows: progress.rows,
    streams: progress.streams,
    events: progress.events,
    alreadyThere: String(BigInt(progress.rows) - BigInt(progress.streams)),
    complete,
    run: job.run.id,
    resumed: job.resumed,
    left: await leftRows(job),
    dryRun: false,
    capture: job.capture === null ? 'off' : 'on',
  }
}

/** What came after the last slice: nothing of it is counted then. */
async function refuseOtherEpoch(job: BackfillJob): Promise<void> {
  try {
    await job.database.session((session) => holdCapture(session, job))
  } catch (error) {
    await settle(job, { error: told(error) })
    throw error
  }
}

/** All of them, until each has ended; the first that fails ends the others after their slices. */
async function runWorkers(
  job: BackfillJob,
  stop: AbortSignal | undefined,
  worker: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController()
  const signal = stop === undefined ? failed.signal : AbortSignal.any([stop, failed.signal])
  const errors: unknown[] = []
  const workers = Array.from({ length: job.workers }, () =>
    worker(signal).catch((error: unknown) => {
      errors.push(error)
      failed.abort()
    }),
  )
  await Promise.all(workers)
  if (errors.length === 0) return
  const [error] = errors
  // The receipt, where the server still takes one. What failed is what the caller must hear of.
  await settle(job, { error: told(error) }).catch(() => undefined)
  throw error
}

function told(error: unknown): Readonly<Record<string, string>> {
  return error instanceof EventwardError
    ? { code: error.code, message: error.message }
    : { message: String(error) }
}

async function stopped(job: BackfillJob): Promise<StoppedError> {
  await settle(job, { stopped: true })
  return new StoppedError(
    'EW_STOPPED',
    `${job.tableName}: run ${job.run.id} was stopped; what it did is kept`,
    {
      next: `Run \`eventward backfill ${shellWord(job.tableName)}\` again: it goes on from there.`,
      details: { table: job.tableName, run: job.run.id },
    },
  )
}

async function settle(job: BackfillJob, outcome: Readonly<Record<string, unknown>>): Promise<void> {
  await job.database.session((session) => settleRun(session, job.run.id, outcome))
}

async function leftRows(job: BackfillJob): Promise<readonly LeftRow[]> {
  const chunks = await job.database.session((session) => leftChunks(session, job.run.id, LEFT_SHOWN))
  return chunks.map(({ hi, error }) => ({ key: streamId(hi ?? []), error }))
}
