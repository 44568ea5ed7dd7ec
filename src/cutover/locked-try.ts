import { type Session, sqlstateOf } from '../db/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import { readBlockers } from './blockers.js'

/** What came of one try. Times in ms. */
export type Tried<Result> =
  | { readonly done: true; readonly result: Result; readonly waitedMs: number; readonly lockedMs: number }
  /** `waitedMs`: how long writers can have waited. */
  | { readonly done: false; readonly why: string; readonly waitedMs: number }

export interface LockedWork {
  readonly schema: string
  readonly table: string
  readonly relid: string
  /** Waiting for the lock and holding it together, in ms. */
  readonly boundMs: number
  /** False rolls all of it back in the end. @default true */
  readonly commit?: boolean
}

/**
 * Tries once to hold a table in SHARE ROW EXCLUSIVE and to do `work`, all of it within the bound: writers queue from the
 * moment the lock is asked for until the transaction ends. Whoever would surely keep it waiting (an autovacuum, a
 * transaction that is older than the bound) is named instead, and no lock is asked for. Ends no one.
 *
 * `work` calls `bounded` before each statement: it gives that statement what is left, and gives up where nothing is.
 */
export async function lockedTry<Result>(
  session: Session,
  { schema, table, relid, boundMs, commit = true }: LockedWork,
  work: (session: Session, bounded: () => Promise<void>) => Promise<Result>,
): Promise<Tried<Result>> {
  const sure = (await readBlockers(session, relid)).filter(
    ({ pid, autovacuum, ageMs }) => pid === null || autovacuum || (ageMs !== null && ageMs > boundMs),
  )
  if (sure.length > 0) return { done: false, why: `behind ${names(sure)}`, waitedMs: 0 }

  const asked = performance.now()
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
    await session.transaction({ lockTimeoutMs: boundMs }, async () => {
      // Should this process hang in the middle, the server ends the transaction, and nobody waits for it.
      await session.execute({
        text: `set local idle_in_transaction_session_timeout = ${Math.ceil(boundMs)}`,
        values: [],
      })
      await session.execute(sql`lock table ${raw(qualified(schema, table))} in share row exclusive mode`)
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
    if (held && GIVES_UP.has(sqlstateOf(error) ?? '')) return { done: false, why: TOO_MUCH, waitedMs }
    if (held || !GIVES_UP.has(sqlstateOf(error) ?? '')) throw error
    const blockers = await readBlockers(session, relid)
    const why = blockers.length === 0 ? 'behind someone who is gone by now' : `behind ${names(blockers)}`
    return { done: false, why, waitedMs }
  }
  const end = performance.now()
  return { done: true, result: result as Result, waitedMs: end - asked, lockedMs: end - locked }
}

/** Lock not available, deadlock, statement timeout: all leave everything as it was. */
const GIVES_UP: ReadonlySet<string> = new Set(['55P03', '40P01', '57014'])

const TOO_MUCH = 'with too much to do under the lock'

/** What `work` throws to end a try, for a reason that another try may not meet. */
export class GaveUp extends Error {}
/** All went well, and nothing of it is to stay. */
class RollBack extends Error {}

function names(blockers: readonly { readonly who: string }[]): string {
  const shown = blockers.slice(0, 3).map(({ who }) => who)
  const more = blockers.length - shown.length
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ')
}
