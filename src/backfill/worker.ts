import { setTimeout as sleep } from 'node:timers/promises'
import { sqlstateOf } from '../db/index.js'
import { GateError, shellWord, UsageError } from '../errors/index.js'
import type { Chunk } from '../store/index.js'
import { progressOf } from '../store/index.js'
import { type BackfillJob, MAX_ATTEMPTS } from './backfill-job.js'
import { failureKind, thrownOut } from './failure.js'
import { planChunks } from './plan-chunks.js'
import type { ProgressReport } from './report-progress.js'
import { runSlice, type Step } from './run-slice.js'
import { setAside } from './set-aside.js'
import { afterFailure, afterSlice, initialPace, limitFor, type Pace } from './slice-pace.js'
import { tableLocked } from './table-locked.js'

/** Between two looks at what others hold, in ms. */
const LOOK_MS = 25
/** So few rows take no time: the server has other troubles, and is given a moment. */
const FEW_ROWS = 50
const MOMENT_MS = 250

/** What the workers of a process share. */
export interface Team {
  pace: Pace
  readonly report: ProgressReport
}

/** A team that has not begun. */
export function newTeam(job: BackfillJob, report: ProgressReport): Team {
  return { pace: initialPace(job.chunkRows), report }
}

/**
 * One worker: takes slices until nothing of the run is left but what was given up, planning chunks when none is free.
 * Ends after the slice at work when the signal is aborted. Rejects where the run can't go on.
 */
export async function work(job: BackfillJob, team: Team, signal: AbortSignal): Promise<void> {
  let blockedSince: number | null = null
  while (!signal.aborted) {
    await pause(job.rate.waitMs(), signal)
    if (signal.aborted) return
    const limit = (chunk: Chunk) =>
      chunk.kind === 'row' ? 1 : Math.min(limitFor(team.pace, chunk.n), job.rate.burst)
    const step = await job.database.session((session) => runSlice(session, job, limit))
    if (signal.aborted && step.kind !== 'taken') return
    switch (step.kind) {
      case 'taken':
        blockedSince = null
        job.rate.spend(step.rows)
        team.pace = afterSlice(team.pace, step, {
          chunkRows: job.chunkRows,
          statementMs: job.limits.statementMs,
        })
        await team.report.tick()
        break
      case 'failed':
        await onFailure(job, team, step)
        if (step.why === 'slow' && step.asked < FEW_ROWS) await pause(MOMENT_MS, signal)
        break
      case 'blocked': {
        blockedSince ??= performance.now()
        await waitForTable(job, { blockedSince, error: step.error }, signal)
        break
      }
      case 'nothing': {
        const planned = await planOrWait(job, signal)
        if (planned.kind === 'finished') return
        // That no chunk is free tells nothing about the planner, which may be blocked ever since.
        if (planned.kind === 'went on') blockedSince = null
        if (planned.kind !== 'blocked') break
        blockedSince ??= performance.now()
        await waitForTable(job, { blockedSince, error: planned.error, planning: true }, signal)
      }
    }
  }
}

async function onFailure(
  job: BackfillJob,
  team: Team,
  step: Extract<Step, { readonly kind: 'failed' }>,
): Promise<void> {
  const { chunk, asked, why, error } = step
  const next = afterFailure(team.pace, { n: chunk.n, asked }, why)
  team.pace = next.pace
  if (next.alone) {
    await tolerate(job, () =>
      job.database.session((session) => setAside(session, job, { chunk, why, error })),
    )
  }
}

/** What remains where no chunk is free: plan on, wait for those that others hold or that were put off, or end. */
async function planOrWait(job: BackfillJob, signal: AbortSignal): Promise<Planned> {
  const progress = await job.database.session((session) => progressOf(session, job.run.id, MAX_ATTEMPTS))
  if (progress.state === 'failed') throw superseded(job)
  if (!progress.planned) {
    let mine = false
    const blocked = await tolerate(job, async () => {
      mine = await job.database.session((session) => planChunks(session, job))
    })
    if (blocked !== null) return { kind: 'blocked', error: blocked.error }
    if (mine) return { kind: 'went on' }
    await pause(LOOK_MS, signal)
    return { kind: 'waited' }
  }
  if (progress.todo === progress.givenUp) return { kind: 'finished' }
  await pause(LOOK_MS, signal)
  return { kind: 'went on' }
}

type Planned =
  | { readonly kind: 'finished' | 'went on' }
  /** Another one plans, or tries to. */
  | { readonly kind: 'waited' }
  | { readonly kind: 'blocked'; readonly error: unknown }

/** Runs bookkeeping that may meet a lock; gives the error where it did, and is to be tried again. */
async function tolerate(
  { limits: { idleMs } }: BackfillJob,
  step: () => Promise<void>,
): Promise<{ readonly error: unknown } | null> {
  const began = performance.now()
  try {
    await step()
    return null
  } catch (error) {
    if (thrownOut(error, performance.now() - began, idleMs)) return { error }
    const why = failureKind(error)
    if (why === 'conflict' || why === 'slow') return { error }
    throw error
  }
}

async function waitForTable(
  job: BackfillJob,
  {
    blockedSince,
    error,
    planning = false,
  }: { readonly blockedSince: number; readonly error: unknown; readonly planning?: boolean },
  signal: AbortSignal,
): Promise<void> {
  if (performance.now() - blockedSince > job.patienceMs) {
    if (planning && sqlstateOf(error) === '57014') throw noKeyWalk(job, error)
    const { model, tableName, run } = job
    throw await job.database.session((session) =>
      tableLocked(session, { model, tableName, run: run.id }, error),
    )
  }
  // Jitter: workers that wait together would come back together.
  await pause(50 + Math.random() * 100, signal)
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined)
}

/** A lock ends otherwise (55P03): even the fewest keys could not be walked in the time of a statement. */
function noKeyWalk(job: BackfillJob, cause: unknown): UsageError {
  const { tableName, model } = job
  return new UsageError(
    'EW_KEY_WALK',
    `${tableName}: no index can walk the key (${model.key.join(', ')}) in time: run ${job.run.id} gave up, what it did is kept`,
    {
      next: `Make a btree index on (${model.key.join(', ')}) in the default order, ascending with NULLS LAST (or REINDEX the one there is); then run \`eventward backfill ${shellWord(tableName)}\` again.`,
      details: { table: tableName, run: job.run.id, key: model.key },
      cause,
    },
  )
}

function superseded(job: BackfillJob): GateError {
  return new GateError(
    'EW_RUN_SUPERSEDED',
    `${job.tableName}: run ${job.run.id} was ended by another process: a backfill --restart, or one that found the key in another order`,
    {
      next: `See \`eventward status\`; then run \`eventward backfill ${shellWord(job.tableName)}\`.`,
      details: { table: job.tableName, run: job.run.id },
    },
  )
}
