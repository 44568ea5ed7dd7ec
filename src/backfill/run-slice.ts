import { shapeId } from '../bind/index.js'
import type { Session } from '../db/index.js'
import { compileSlice } from '../sql/index.js'
import { type Chunk, claimChunk, type KeyTexts, storeProgress, toolVersion } from '../store/index.js'
import { type BackfillJob, MAX_ATTEMPTS } from './backfill-job.js'
import { type FailureKind, failureKind, thrownOut } from './failure.js'
import { holdCapture } from './hold-capture.js'
import { holdDefinition } from './hold-definition.js'
import { lockBoundTable } from './lock-table.js'

/** What came of a slice. */
export type Step =
  /** No chunk is free. */
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'taken'
      readonly n: string
      readonly asked: number
      readonly rows: number
      readonly ms: number
    }
  /** Something was in the way before the slice began: the table or our own bookkeeping is locked. */
  | { readonly kind: 'blocked'; readonly error: unknown }
  | {
      readonly kind: 'failed'
      readonly why: FailureKind
      readonly chunk: Chunk
      readonly asked: number
      readonly error: unknown
    }

/**
 * Takes the next slice of a chunk, in one READ COMMITTED transaction: claim, ACCESS SHARE on the table (before the
 * slice's snapshot: one older than a rewrite sees an empty table), is capture still the same one, the slice, and the
 * chunk's progress. Locks no row of
 * the table. Rejects only where the run can't go on.
 *
 * @param limitFor rows to ask for, of this chunk.
 */
export async function runSlice(
  session: Session,
  job: BackfillJob,
  limitFor: (chunk: Chunk) => number,
): Promise<Step> {
  let claimed: { readonly chunk: Chunk; readonly asked: number } | undefined
  const { lockMs, statementMs } = job.limits
  const entered = performance.now()
  try {
    return await session.transaction({ lockTimeoutMs: lockMs, statementTimeoutMs: statementMs }, async () => {
      const chunk = await claim(session, job)
      if (chunk === null) return { kind: 'nothing' } as const
      await lockBoundTable(session, job)
      await holdCapture(session, job)
      const asked = limitFor(chunk)
      if (chunk.kind === 'row') await allowMoreTime(session, job)
      claimed = { chunk, asked }
      const began = performance.now()
      const slice = await takeRows(session, job, chunk, asked)
      const ms = performance.now() - began
      claimed = undefined
      await storeProgress(session, job.run.id, chunk.n, {
        doneTo: slice.last,
        done: isDone(chunk, slice, asked),
        counts: slice,
      })
      return { kind: 'taken', n: chunk.n, asked, rows: Number(slice.rows), ms } as const
    })
  } catch (error) {
    if (thrownOut(error, performance.now() - entered, job.limits.idleMs)) return { kind: 'blocked', error }
    const why = failureKind(error)
    if (why === null) throw error
    if (claimed !== undefined) return { kind: 'failed', why, error, ...claimed }
    if (why === 'data') throw error
    return { kind: 'blocked', error }
  }
}

async function claim(session: Session, job: BackfillJob): Promise<Chunk | null> {
  await holdDefinition(session, job)
  return claimChunk(session, job.run.id, { maxAttempts: MAX_ATTEMPTS })
}

async function allowMoreTime(session: Session, { limits }: BackfillJob): Promise<void> {
  await session.execute({
    text: `set local statement_timeout = ${limits.rowMs}`,
    values: [],
  })
}

interface Slice {
  readonly rows: string
  readonly streams: string
  readonly events: string
  readonly last: KeyTexts | null
}

async function takeRows(session: Session, job: BackfillJob, chunk: Chunk, limit: number): Promise<Slice> {
  const { model, key, events, run } = job
  const {
    rows,
    streams,
    events: written,
    last,
  } = await session.one<SliceRow>(
    compileSlice({
      model,
      key,
      events,
      after: chunk.doneTo ?? chunk.lo,
      upTo: chunk.hi,
      limit,
      metadata: JSON.stringify({
        source: 'backfill',
        run: run.id,
        definition: model.hash.slice(0, 12),
        shape: shapeId(model),
        writer: `eventward/${toolVersion()}`,
      }),
      runStartedAt: run.startedAt,
    }),
  )
  return { rows, streams, events: written, last: last === null ? null : (JSON.parse(last) as KeyTexts) }
}

interface SliceRow extends Readonly<Record<string, string | null>> {
  readonly rows: string
  readonly streams: string
  readonly events: string
  readonly last: string | null
}

/** Fewer rows than asked for, or the last key of the range: nothing is left of it in this snapshot. */
function isDone(chunk: Chunk, slice: Slice, asked: number): boolean {
  return Number(slice.rows) < asked || JSON.stringify(slice.last) === JSON.stringify(chunk.hi)
}
