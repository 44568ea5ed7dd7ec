import { type Session, sqlstateOf } from '../db/index.js'
import { DatabaseError } from '../errors/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import { blockerNames, type LockBlocker, lockBlockers } from '../store/index.js'

/** What came of one try. Times in ms. */
export type Tried<Result> =
  | { readonly done: true; readonly result: Result; readonly waitedMs: number; readonly lockedMs: number }
  /** `waitedMs`: how long writers can have waited. */
  | { readonly done: false; readonly why: string; readonly waitedMs: number }

export interface LockedWork {
  readonly schema: string
  readonly table: string
  /** Waiting for the lock and holding it together, in ms. */
  readonly boundMs: number
  /** In the same transaction, before the lock is asked for: for what nobody needs to wait for. */
  readonly before?: (session: Session) => Promise<void>
  /** False rolls all of it back in the end. @default true */
  readonly commit?: boolean
  /** Ask for the lock even behind a transaction that is open for long: it may be that there always is one. */
  readonly late: boolean
}

const MODE = 'share row exclusive'

/**
 * Tries once to hold a table in SHARE ROW EXCLUSIVE and to do `work`, all of it within the bound: writers queue from the
 * moment the lock is asked for until the transaction ends. Whoever would surely keep it waiting is named instead, and no
 * lock is asked for. Ends no one. (`withTableLock` of the store bounds the wait and the work apart: a flip's bound is
 * what a writer waits in all.)
 *
 * `work` calls `bounded` before each statement: it gives that statement what is left, and gives up where nothing is.
 */
export async function lockedTry<Result>(
  session: Session,
  lock: LockedWork,
  work: (session: Session, bounded: () => Promise<void>) => Promise<Result>,
): Promise<Tried<Result>> {
  const { schema, table, boundMs, commit = true } = lock
  const blockers = () => lockBlockers(session, { schema, table, mode: MODE })
  const sure = (await blockers()).filter((one) => isHopeless(one, lock))
  if (sure.length > 0) return { done: false, why: `behind ${blockerNames(sure)}`, waitedMs: 0 }

  let asked = performance.now()
  let locked = Number.NaN
  const bounded = async () => {
    const left = Math.floor(boundMs - (performance.now() - asked))
    if (left < 1) throw new GaveUp(TOO_MUCH)
    await session.execute({
      text: `set local lock_timeout = ${left}; set local statement_timeout = ${left}`,
      values: [],
    })
  }
  let result: Result | undefined
  try {
    // lock_timeout is for each of a table's partitions; the statement's bounds them together.
    await session.transaction({ lockTimeoutMs: boundMs, statementTimeoutMs: boundMs }, async () => {
      // Should this process hang in the middle, the server ends the transaction, and nobody waits for it. And where events
      // were never analysed the planner would rather read all of them than walk the index of their positions.
      await session.execute({
        text: `set local idle_in_transaction_session_timeout = ${Math.ceil(boundMs)}; set local enable_seqscan = off`,
        values: [],
      })
      await lock.before?.(session)
      asked = performance.now()
      await session.execute(sql`lock table ${raw(qualified(schema, table))} in ${raw(MODE)} mode`)
      locked = performance.now()
      result = await work(session, bounded)
      if (!commit) throw new RollBack()
    })
  } catch (error) {
    const waitedMs = performance.now() - asked
    if (error instanceof RollBack && result !== undefined)
      return { done: true, result, waitedMs, lockedMs: performance.now() - locked }
    const held = !Number.isNaN(locked)
    if (error instanceof GaveUp) return { done: false, why: error.message, waitedMs }
    // Ended by the server because this process hung, or lost at COMMIT: the next try sees what became of it.
    if (error instanceof DatabaseError && error.code === 'EW_DB_LOST')
      return { done: false, why: LOST, waitedMs }
    if (held && GIVES_UP.has(sqlstateOf(error) ?? '')) return { done: false, why: TOO_MUCH, waitedMs }
    if (held || !GIVES_UP.has(sqlstateOf(error) ?? '')) throw error
    return { done: false, why: `behind ${blockerNames(await blockers())}`, waitedMs }
  }
  const end = performance.now()
  return { done: true, result: result as Result, waitedMs: end - asked, lockedMs: end - locked }
}

/** Lock not available, deadlock, statement timeout: all leave everything as it was. */
const GIVES_UP: ReadonlySet<string> = new Set(['55P03', '40P01', '57014'])

const LOST = 'with the connection lost: this process, or the server, was too slow'
const TOO_MUCH = 'with too much to do under the lock'

/** What `work` throws to end a try, for a reason that another try may not meet. */
export class GaveUp extends Error {}
/** All went well, and nothing of it is to stay. */
class RollBack extends Error {}

/** An autovacuum yields only to whoever has waited for it for that long, in ms: the server's default. */
const DEADLOCK_TIMEOUT_MS = 1_000

function isHopeless(
  { pid, autovacuum, vacuum, ageMs }: LockBlocker,
  { boundMs, late }: Pick<LockedWork, 'boundMs' | 'late'>,
): boolean {
  if (autovacuum) return boundMs <= DEADLOCK_TIMEOUT_MS
  if (vacuum || pid === null) return true
  return !late && ageMs !== null && ageMs > boundMs
}
