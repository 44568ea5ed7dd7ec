import { setTimeout as sleep } from 'node:timers/promises'
import { type Session, sqlstateOf } from '../db/index.js'
import { tableName } from '../definition/index.js'
import { DatabaseError, StoppedError } from '../errors/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import { blockerNames, type LockBlocker, type LockMode, lockBlockers } from './lock-blockers.js'

/** A short lock on a table of the application. Times in ms. */
export interface TableLock {
  readonly schema: string
  readonly table: string
  readonly mode: LockMode
  /**
   * How long one try may wait for the lock: the application's statements queue behind it meanwhile. Longer than
   * `deadlock_timeout` (1 s by default), an autovacuum yields to it. @default 400
   */
  readonly lockTimeoutMs?: number
  /** How long it may be held. @default 2000 */
  readonly holdTimeoutMs?: number
  /** @default 10 */
  readonly tries?: number
  /** Ends between two tries. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: LockProgress) => void
  /** Runs in the same transaction before the lock is asked for: for what nobody needs to wait for. */
  readonly before?: (session: Session) => Promise<void>
}

/** A try that came to nothing. */
export interface LockProgress {
  readonly table: string
  readonly attempt: number
  /** Who is in the way. */
  readonly why: string
  readonly waitedMs: number
  /** Null where it's given up. */
  readonly nextInMs: number | null
}

/** What was done under the lock, and what that cost others. */
export interface Locked<Result> {
  readonly result: Result
  /** Times that it was tried, this one included. */
  readonly attempts: number
  /** The longest wait for the lock of all tries: writers may have queued for so long. */
  readonly waitedMs: number
  /** From the moment that it was granted until COMMIT had returned. */
  readonly lockedMs: number
}

/**
 * The one way to hold an application's table for a moment. Looks first who is in the way: whom no short wait would get
 * past (a vacuum, a transaction that is open for long) is waited for without a lock asked for, so that no writer queues
 * behind ours. Then tries, each time in a transaction of its own, with a short lock_timeout; backs off with jitter. Ends
 * no one's session.
 *
 * `work` runs in the transaction that holds the lock; `leftMs` says how long that may still take. It is run again from
 * the start where a try fails on the way.
 *
 * @throws DatabaseError EW_LOCK_BUSY, naming who is in the way; StoppedError EW_STOPPED by `signal`; what `work` throws.
 */
export async function withTableLock<Result>(
  session: Session,
  lock: TableLock,
  work: (session: Session, leftMs: () => number) => Promise<Result>,
): Promise<Locked<Result>> {
  const { tries = 10, lockTimeoutMs = 400 } = lock
  const yields = lockTimeoutMs > (await deadlockTimeout(session))
  let longest = 0
  for (let attempt = 1; ; attempt += 1) {
    if (lock.signal?.aborted === true) throw stopped(lock)
    const hopeless = (await lockBlockers(session, lock)).filter((one) =>
      isHopeless(one, { yields, lockTimeoutMs, late: attempt > tries / 2 }),
    )
    const tried =
      hopeless.length > 0 ? { blockers: hopeless, waitedMs: 0 } : await tryOnce(session, lock, work)
    longest = Math.max(longest, tried.waitedMs)
    if ('lockedMs' in tried) {
      return {
        result: tried.result,
        attempts: attempt,
        waitedMs: tenths(longest),
        lockedMs: tenths(tried.lockedMs),
      }
    }
    const nextInMs = attempt >= tries ? null : backoffMs(attempt)
    const why = 'slow' in tried ? 'its work did not end in time' : `behind ${blockerNames(tried.blockers)}`
    lock.onProgress?.({ table: tableName(named(lock)), attempt, why, waitedMs: tried.waitedMs, nextInMs })
    if (nextInMs === null) throw busy(lock, tried, attempt)
    await sleep(nextInMs, undefined, lock.signal === undefined ? {} : { signal: lock.signal }).catch(
      () => undefined,
    )
  }
}

/**
 * Whether a short wait is in vain. A transaction that is open for longer than we would wait may end any moment; but
 * where there always is one, it has to be tried at last.
 */
function isHopeless(
  { autovacuum, vacuum, ageMs }: LockBlocker,
  {
    yields,
    lockTimeoutMs,
    late,
  }: { readonly yields: boolean; readonly lockTimeoutMs: number; readonly late: boolean },
): boolean {
  if (autovacuum) return !yields
  if (vacuum) return true
  return !late && ageMs !== null && ageMs > lockTimeoutMs
}

type Tried<Result> =
  | { readonly result: Result; readonly waitedMs: number; readonly lockedMs: number }
  | { readonly blockers: readonly LockBlocker[]; readonly waitedMs: number }
  | { readonly slow: true; readonly waitedMs: number; readonly cause: unknown }

async function tryOnce<Result>(
  session: Session,
  lock: TableLock,
  work: (session: Session, leftMs: () => number) => Promise<Result>,
): Promise<Tried<Result>> {
  const { lockTimeoutMs = 400, holdTimeoutMs = 2_000 } = lock
  let state: 'before' | 'asking' | 'holding' = 'before'
  let asked = performance.now()
  let granted = asked
  try {
    const result = await session.transaction({}, async () => {
      await lock.before?.(session)
      // lock_timeout is for each of a table's partitions; the statement's bounds them together.
      await plain(
        session,
        // Before the lock: should this process hang once it's granted, the server ends the transaction.
        `set local lock_timeout = ${lockTimeoutMs}; set local statement_timeout = ${lockTimeoutMs}; set local idle_in_transaction_session_timeout = ${holdTimeoutMs}`,
      )
      asked = performance.now()
      state = 'asking'
      await session.execute(
        sql`lock table ${raw(qualified(lock.schema, lock.table))} in ${raw(lock.mode)} mode`,
      )
      granted = performance.now()
      state = 'holding'
      await plain(session, `set local statement_timeout = ${holdTimeoutMs}`)
      return work(session, () => holdTimeoutMs - (performance.now() - granted))
    })
    return { result, waitedMs: granted - asked, lockedMs: performance.now() - granted }
  } catch (error) {
    const sqlstate = sqlstateOf(error) ?? ''
    const waitedMs = performance.now() - asked
    // What `before` waits for says itself who is in its way.
    if (state === 'before' || !GIVES_UP.has(sqlstate) || lock.signal?.aborted === true) throw error
    if (state === 'holding' && sqlstate === '57014') return { slow: true, waitedMs, cause: error }
    return { blockers: await lockBlockers(session, lock), waitedMs }
  }
}

/** Lock not available, cancelled by a timeout, deadlock: each leaves everything as it was. */
const GIVES_UP: ReadonlySet<string> = new Set(['55P03', '57014', '40P01'])

/** Shown to people: no more digits than mean something. */
const tenths = (ms: number): number => Math.round(ms * 10) / 10

/** 100, 200, 400, 800 ms, then 1.5 s, each a half more or less: those who wait together would come back together. */
function backoffMs(attempt: number): number {
  return Math.round(Math.min(1_500, 100 * 2 ** (attempt - 1)) * (0.5 + Math.random()))
}

async function deadlockTimeout(session: Session): Promise<number> {
  const { ms } = await session.one<{ ms: string }>(sql`
    select setting as ms
    from pg_settings
    where name = 'deadlock_timeout'`)
  return Number(ms)
}

async function plain(session: Session, text: string): Promise<void> {
  await session.execute({ text, values: [] })
}

function busy<Result>(
  lock: TableLock,
  tried: Exclude<Tried<Result>, { lockedMs: number }>,
  attempts: number,
): DatabaseError {
  const table = tableName(named(lock))
  if ('slow' in tried) {
    return new DatabaseError(
      'EW_LOCK_BUSY',
      `${table}: what is to be done under its lock took longer than ${lock.holdTimeoutMs ?? 2_000} ms, ${attempts} times; nothing was changed`,
      {
        next: 'Run it again when the server has less to do.',
        details: { table, attempts },
        cause: tried.cause,
      },
    )
  }
  const { blockers } = tried
  const next = blockers.some(({ autovacuum }) => autovacuum)
    ? 'An autovacuum yields after deadlock_timeout: run it again with --lock-timeout 3000 (writers may wait so long), or once the autovacuum has ended.'
    : 'Run it again once that has ended; it ends no one itself.'
  return new DatabaseError(
    'EW_LOCK_BUSY',
    `${table}: no lock (${lock.mode}) in ${attempts} tries, behind ${blockerNames(blockers)}; nothing was changed`,
    {
      next,
      details: { table, attempts, mode: lock.mode, blockers: blockers.map(({ pid, who }) => ({ pid, who })) },
    },
  )
}

function stopped(lock: TableLock): StoppedError {
  const table = tableName(named(lock))
  return new StoppedError(
    'EW_STOPPED',
    `${table}: stopped while it waited for its lock; nothing was changed`,
    {
      next: 'Run it again.',
      details: { table },
    },
  )
}

function named({ schema, table }: TableLock) {
  return { schema, name: table }
}
