import { type Session, sqlstateOf } from '../db/index.js'
import {
  addChunks,
  type Chunk,
  type ChunkError,
  claimChunk,
  deferChunk,
  storeProgress,
} from '../store/index.js'
import { type BackfillJob, backoffMs, MAX_ATTEMPTS } from './backfill-job.js'
import type { FailureKind } from './failure.js'
import { holdDefinition } from './hold-definition.js'
import { lockBoundTable } from './lock-table.js'
import { boundary } from './plan-chunks.js'

/**
 * Puts the one row that can't be taken on the list of what is left: a chunk of its own, to be tried again after a
 * while; its chunk goes on behind it. A row that is a chunk already is noted as tried once more.
 */
export async function setAside(
  session: Session,
  job: BackfillJob,
  { chunk, why, error }: { readonly chunk: Chunk; readonly why: FailureKind; readonly error: unknown },
): Promise<void> {
  const { lockMs, statementMs } = job.limits
  await session.transaction({ lockTimeoutMs: lockMs, statementTimeoutMs: statementMs }, async () => {
    await holdDefinition(session, job)
    const claimed = await claimChunk(session, job.run.id, { maxAttempts: MAX_ATTEMPTS, n: chunk.n })
    // Another worker has it, or took it further meanwhile.
    if (claimed === null || JSON.stringify(claimed.doneTo) !== JSON.stringify(chunk.doneTo)) return
    // A value that can't be stored can't be stored the next moment either.
    const attempts = why === 'data' ? MAX_ATTEMPTS : claimed.attempts + 1
    const failure = { attempts, error: chunkError(error), waitMs: backoffMs(attempts) }
    if (claimed.kind === 'row') {
      await deferChunk(session, job.run.id, claimed.n, failure)
      return
    }
    await lockBoundTable(session, job)
    const after = claimed.doneTo ?? claimed.lo
    const upTo = claimed.hi
    const key = upTo === null ? null : await boundary(session, job, { after, upTo, size: 1 })
    if (key === null) return // The row has gone.
    const [n] = await addChunks(session, job.run.id, [{ kind: 'row', lo: after, hi: key }])
    if (n !== undefined) await deferChunk(session, job.run.id, n, failure)
    await storeProgress(session, job.run.id, claimed.n, {
      doneTo: key,
      done: JSON.stringify(key) === JSON.stringify(upTo),
      counts: { rows: '0', streams: '0', events: '0' },
    })
  })
}

function chunkError(error: unknown): ChunkError {
  return {
    sqlstate: sqlstateOf(error) ?? null,
    message: error instanceof Error ? error.message : String(error),
  }
}
