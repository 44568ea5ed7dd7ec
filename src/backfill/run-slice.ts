import type { Session } from '../db/index.js'
import { GateError } from '../errors/index.js'
import { compileSlice, qualified, raw, sql } from '../sql/index.js'
import {
  type Chunk,
  claimChunk,
  type KeyTexts,
  lockDefinition,
  storeProgress,
  toolVersion,
} from '../store/index.js'
import { type BackfillJob, MAX_ATTEMPTS } from './backfill-job.js'
import { type FailureKind, failureKind } from './failure.js'

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

/** A process that hangs in the middle (a suspended laptop) keeps no application waiting for longer. */
const IDLE_MS = 5_000

/**
 * Takes the next slice of a chunk, in one READ COMMITTED transaction: claim, ACCESS SHARE on the table (before the
 * slice's snapshot: one older than a rewrite sees an empty table), the slice, and the chunk's progress. Locks no row of
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
  try {
    return await session.transaction({ lockTimeoutMs: lockMs, statementTimeoutMs: statementMs }, async () => {
      const chunk = await claim(session, job)
      if (chunk === null) return { kind: 'nothing' } as const
      await lockTable(session, job)
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
    const why = failureKind(error)
    if (why === null) throw error
    if (claimed !== undefined) return { kind: 'failed', why, error, ...claimed }
    if (why === 'data') throw error
    return { kind: 'blocked', error }
  }
}

/** ACCESS SHARE on the table until the transaction ends. It waits for a rewrite, and nothing but DDL waits for it. */
export async function lockTable(session: Session, { model }: Pick<BackfillJob, 'model'>): Promise<void> {
  await session.execute(sql`lock table ${raw(qualified(model.schema, model.table))} in access share mode`)
}

/**
 * Until the transaction ends, the planner walks the key's index and nothing else. Without statistics (a table that was
 * never analysed) it would sort all the rest of the table to find the next few thousand keys.
 */
export async function walkIndex(session: Session): Promise<void> {
  const text = ['seqscan', 'bitmapscan', 'sort'].map((way) => `set local enable_${way} = off`).join('; ')
  await session.execute({ text, values: [] })
}

async function claim(session: Session, job: BackfillJob): Promise<Chunk | null> {
  await session.execute({
    text: `set local idle_in_transaction_session_timeout = ${IDLE_MS}`,
    values: [],
  })
  // First, so that whoever archives or redefines these events waits for us, or we see that it's done.
  await lockDefinition(session, job.model.name, 'shared')
  const [installed] = await session.rows<{ hash: string }>(sql`
    select hash
    from eventward.aggregates
    where aggregate_type = ${job.model.name}::text`)
  if (installed?.hash !== job.model.hash) {
    throw new GateError(
      'EW_RUN_DEFINITION',
      `${job.tableName}: another definition was installed while run ${job.run.id} was at work`,
      {
        next: `Run \`eventward backfill ${job.tableName}\` again, with the definition that is meant.`,
        details: { table: job.tableName, run: job.run.id },
      },
    )
  }
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
