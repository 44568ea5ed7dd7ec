import { setTimeout as sleep } from 'node:timers/promises'
import { sqlstateOf } from '../db/index.js'
import { GateError } from '../errors/index.js'
import type { Chunk } from '../store/index.js'
import { progressOf } from '../store/index.js'
import { type BackfillJob, MAX_ATTEMPTS } from './backfill-job.js'
import { failureKind } from './failure.js'
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
    if (step.kind !== 'blocked') blockedSince = null
    switch (step.kind) {
      case 'taken':
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
        if (planned === 'finished') return
        if (planned !== 'blocked') break
        blockedSince ??= performance.now()
        await waitForTable(job, { blockedSince, error: undefined }, signal)
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
    await tolerate(() => job.database.session((session) => setAside(session, job, { chunk, why, error })))
  }
}

/** What remains where no chunk is free: plan on, wait for those that others hold or that were put off, or end. */
async function planOrWait(job: BackfillJob, signal: AbortSignal): Promise<'finished' | 'again' | 'blocked'> {
  const progress = await job.database.session((session) => progressOf(session, job.run.id, MAX_ATTEMPTS))
  if (progress.state === 'failed') throw superseded(job)
  if (!progress.planned) {
    let mine = false
    const went = await tolerate(async () => {
      mine = await job.database.session((session) => planChunks(session, job))
    })
    if (!went) return 'blocked'
    if (!mine) await pause(LOOK_MS, signal)
    return 'again'
  }
  if (progress.todo === progress.givenUp) return 'finished'
  await pause(LOOK_MS, signal)
  return 'again'
}

/** Runs bookkeeping that may meet a lock; false where it did, and is to be tried again. */
async function tolerate(step: () => Promise<void>): Promise<boolean> {
  try {
    await step()
    return true
  } catch (error) {
    const why = failureKind(error)
    if (why === 'conflict' || (why === 'slow' && sqlstateOf(error) === '57014')) return false
    throw error
  }
}

async function waitForTable(
  job: BackfillJob,
  { blockedSince, error }: { readonly blockedSince: number; readonly error: unknown },
  signal: AbortSignal,
): Promise<void> {
  if (performance.now() - blockedSince > job.patienceMs) throw await tableLocked(job, error)
  // Jitter: workers that wait together would come back together.
  await pause(50 + Math.random() * 100, signal)
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined)
}

function superseded(job: BackfillJob): GateError {
  return new GateError(
    'EW_RUN_SUPERSEDED',
    `${job.tableName}: run ${job.run.id} was ended by a backfill --restart`,
    {
      next: `See \`eventward status\`; then run \`eventward backfill ${job.tableName}\`.`,
      details: { table: job.tableName, run: job.run.id },
    },
  )
}
