import { progressOf, type RunProgress } from '../store/index.js'
import { type BackfillJob, MAX_ATTEMPTS } from './backfill-job.js'
import type { BackfillProgress } from './backfill-result.js'

/** Tells the caller how far the run is; adding chunks up costs a statement, so not after each slice. */
export interface ProgressReport {
  /** After a slice. */
  readonly tick: () => Promise<void>
  /** At the end. */
  readonly last: (progress: RunProgress) => void
}

const EVERY_MS = 500

/** Begins to report on a job. */
export function reportProgress(job: BackfillJob): ProgressReport {
  const { onProgress } = job
  if (onProgress === undefined) return { tick: async () => undefined, last: () => undefined }
  const began = performance.now()
  let first: RunProgress | undefined
  let shown = Number.NEGATIVE_INFINITY
  return {
    tick: async () => {
      const now = performance.now()
      if (now - shown < EVERY_MS) return
      shown = now
      const progress = await job.database.session((session) => progressOf(session, job.run.id, MAX_ATTEMPTS))
      first ??= progress
      onProgress(progressRecord(job, progress, { seconds: (now - began) / 1000, since: first }))
    },
    last: (progress) => {
      const record = progressRecord(job, progress, {
        seconds: (performance.now() - began) / 1000,
        since: first ?? progress,
      })
      const done = progress.planned && progress.todo === '0'
      onProgress(done ? { ...record, total: progress.rows, estimate: false, etaSeconds: 0 } : record)
    },
  }
}

/** Pure. Rates and times are for people: doubles will do. */
function progressRecord(
  job: BackfillJob,
  progress: RunProgress,
  { seconds, since }: { readonly seconds: number; readonly since: RunProgress },
): BackfillProgress {
  const made = Number(progress.rows) - Number(since.rows)
  const rate = made > 0 && seconds > 0 ? made / seconds : null
  const known = job.rowEstimate === null || BigInt(job.rowEstimate) < BigInt(progress.rows)
  const total = known ? null : job.rowEstimate
  const left = total === null ? null : Number(total) - Number(progress.rows)
  return {
    table: job.tableName,
    rows: progress.rows,
    total,
    estimate: true,
    streams: progress.streams,
    events: progress.events,
    rate,
    etaSeconds: rate === null || left === null ? null : left / rate,
    workers: job.workers,
  }
}
