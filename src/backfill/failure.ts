import { sqlstateOf } from '../db/index.js'
import { EventwardError } from '../errors/index.js'

/**
 * Why a slice failed, where that can be lived with: `slow` took too long, `conflict` met another transaction, `data`
 * has a row in it that can't be stored. Null where it can't: the run ends.
 */
export type FailureKind = 'slow' | 'conflict' | 'data'

/** Sorts an error by its SQLSTATE. Pure. */
export function failureKind(error: unknown): FailureKind | null {
  const state = sqlstateOf(error)
  if (state === undefined) return null
  if (state === '57014') return 'slow'
  if (state === '55P03' || state === '40P01' || state === '40001') return 'conflict'
  // 22: a value can't be converted; 54000: it's larger than jsonb holds; 23505: a stream without its first version;
  // XX001: a page or a TOAST value is damaged.
  if (state.startsWith('22') || state.startsWith('54') || state === '23505' || state === 'XX001')
    return 'data'
  return null
}

/**
 * Whether the server ended our transaction because this process was suspended in the middle of it: nothing of it is
 * left, and it may be tried again. The driver tells the SQLSTATE only where a statement was under way; else what is
 * known is that the connection is gone, and that we were away for long. Pure.
 */
export function thrownOut(error: unknown, tookMs: number, idleMs: number): boolean {
  const state = sqlstateOf(error)
  if (state !== undefined) return state === '25P03'
  return error instanceof EventwardError && error.code === 'EW_DB_LOST' && tookMs > idleMs
}
