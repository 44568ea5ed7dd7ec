import { type Session, sqlstateOf } from '../db/index.js'
import { compileBoundary, sql } from '../sql/index.js'
import { addChunks, type KeyTexts, type NewChunk, storeFrontier } from '../store/index.js'
import type { BackfillJob } from './backfill-job.js'
import { holdDefinition } from './hold-definition.js'
import { lockBoundTable, walkIndex } from './lock-table.js'

/** Chunks planned in one transaction, at the most. */
const BATCH = 64
/** It holds ACCESS SHARE on the table: DDL of the application, and all that queues behind it, waits no longer. */
const BATCH_MS = 150
/** A server that can't step over so many index entries in time has other troubles. */
const SMALLEST = 100

/**
 * Plans some more chunks of the run: ranges of `chunkRows` rows in the order of the key, up to the greatest key at the
 * start. Chunks and frontier are committed together, so that a killed planner is gone on from by anyone.
 * Gives false where another process is at it, or the run was ended.
 */
export async function planChunks(
  session: Session,
  job: BackfillJob,
  chunkRows = job.chunkRows,
): Promise<boolean> {
  const { lockMs, statementMs } = job.limits
  try {
    return await session.transaction({ lockTimeoutMs: lockMs, statementTimeoutMs: statementMs }, () =>
      planBatch(session, job, chunkRows),
    )
  } catch (error) {
    if (sqlstateOf(error) !== '57014' || chunkRows <= SMALLEST) throw error
    return planChunks(session, job, Math.max(SMALLEST, Math.floor(chunkRows / 2)))
  }
}

async function planBatch(session: Session, job: BackfillJob, chunkRows: number): Promise<boolean> {
  await holdDefinition(session, job)
  // A run that was ended is planned no more: chunks added to it would bring it back to life.
  const [frontier] = await session.rows<{ planned_to: string | null; upper_key: string | null }>(sql`
    select planned_to::text as planned_to, upper_key::text as upper_key
    from eventward.runs
    where id = ${job.run.id}::bigint
      and state not in ('complete', 'failed')
    for no key update skip locked`)
  if (frontier === undefined) return false
  const upTo = keyOf(frontier.upper_key)
  if (upTo === null) return true
  await lockBoundTable(session, job)
  await walkIndex(session)
  const chunks: NewChunk[] = []
  let lo = keyOf(frontier.planned_to)
  const end = performance.now() + BATCH_MS
  while (!sameKey(lo, upTo) && chunks.length < BATCH && performance.now() < end) {
    const hi: KeyTexts = (await boundary(session, job, { after: lo, upTo, size: chunkRows })) ?? upTo
    chunks.push({ kind: 'range', lo, hi })
    lo = hi
  }
  await addChunks(session, job.run.id, chunks)
  if (lo !== null) await storeFrontier(session, job.run.id, lo)
  return true
}

/** The key `size` rows after `after`, or null where fewer are left. */
export async function boundary(
  session: Session,
  { model, key }: Pick<BackfillJob, 'model' | 'key'>,
  range: { readonly after: KeyTexts | null; readonly upTo: KeyTexts; readonly size: number },
): Promise<KeyTexts | null> {
  const [found] = await session.rows<{ boundary: string }>(compileBoundary(model, key, range))
  return found === undefined ? null : (JSON.parse(found.boundary) as KeyTexts)
}

function keyOf(text: string | null): KeyTexts | null {
  return text === null ? null : (JSON.parse(text) as KeyTexts)
}

function sameKey(a: KeyTexts | null, b: KeyTexts): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
