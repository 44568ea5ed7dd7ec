import type { Session } from '../db/index.js'
import { UsageError } from '../errors/index.js'
import { sql } from '../sql/index.js'

/** Bounds of a slice's transaction, in ms. */
export interface TimeLimits {
  readonly lockMs: number
  readonly statementMs: number
  /** For one row by itself: all the time that there is. */
  readonly rowMs: number
  /** Between two statements: a process that hangs there keeps nobody waiting longer than one that works. */
  readonly idleMs: number
}

const LOCK_MS = 100
const STATEMENT_MS = 300
/** Shorter than that, an ordinary pause of the process would cost it its connection. */
const SHORTEST_IDLE_MS = 100
/** Below this the shares of the deadlock timeout are shorter than an ordinary statement. */
const SHORTEST_DEADLOCK_TIMEOUT_MS = 50

/**
 * Limits under which no application is ever the victim of a deadlock with us: whoever waits for us finds out after
 * `deadlock_timeout`, and by then we have given up. Two statements (the slice, its bookkeeping) and one wait for a lock
 * fit into it.
 *
 * @throws UsageError EW_DEADLOCK_TIMEOUT where the server's is too short for that.
 */
export async function readTimeLimits(session: Session): Promise<TimeLimits> {
  const { ms } = await session.one<{ ms: string }>(sql`
    select setting as ms
    from pg_settings
    where name = 'deadlock_timeout'`)
  return timeLimits(Number(ms))
}

/** As `readTimeLimits`, of a deadlock timeout that is known. Pure. */
export function timeLimits(deadlockTimeoutMs: number): TimeLimits {
  if (deadlockTimeoutMs < SHORTEST_DEADLOCK_TIMEOUT_MS) {
    throw new UsageError(
      'EW_DEADLOCK_TIMEOUT',
      `deadlock_timeout is ${deadlockTimeoutMs} ms: a slice of the backfill could not be shorter`,
      { next: 'Set deadlock_timeout to 50 ms or more (1 s is the default).', details: { deadlockTimeoutMs } },
    )
  }
  const statementMs = Math.min(STATEMENT_MS, Math.floor(deadlockTimeoutMs * 0.3))
  return {
    lockMs: Math.min(LOCK_MS, Math.floor(deadlockTimeoutMs * 0.1)),
    statementMs,
    rowMs: Math.floor(deadlockTimeoutMs * 0.7),
    idleMs: Math.max(SHORTEST_IDLE_MS, deadlockTimeoutMs - statementMs),
  }
}
