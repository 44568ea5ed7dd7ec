import { setTimeout as sleep } from 'node:timers/promises'
import { StoppedError, shellWord } from '../errors/index.js'
import type { CutoverOptions } from './cutover-result.js'
import type { Tried } from './locked-try.js'

/** What came of all tries. Times in ms. */
export interface Attempted<Result> {
  readonly result: Result | null
  readonly attempts: number
  readonly lockedMs: number | null
  readonly longestWaitMs: number
  /** Why the last one gave up; null where it didn't. */
  readonly why: string | null
}

export interface Pace {
  /** After the first try that gave up; it grows by half each time, up to ten times as much. */
  readonly pauseMs: number
}

/**
 * Tries until one is done, with longer and longer pauses, in which whoever queued behind us gets through. With jitter:
 * what is in the way may come in a rhythm of its own.
 *
 * @throws StoppedError EW_STOPPED between two tries
 */
export async function repeatTries<Result>(
  table: string,
  { tries = 10, signal, onProgress }: CutoverOptions,
  { pauseMs }: Pace,
  once: (attempt: number, late: boolean) => Promise<Tried<Result>>,
): Promise<Attempted<Result>> {
  let longestWaitMs = 0
  for (let attempt = 1; ; attempt += 1) {
    if (signal?.aborted === true) throw stopped(table)
    const tried = await once(attempt, attempt > tries / 2)
    longestWaitMs = Math.max(longestWaitMs, tried.waitedMs)
    if (tried.done)
      return { result: tried.result, attempts: attempt, lockedMs: tried.lockedMs, longestWaitMs, why: null }
    const last = attempt === tries
    const nextInMs = last ? null : pauseMs * Math.min(1.5 ** (attempt - 1), 10) * (0.75 + Math.random() / 2)
    onProgress?.({ kind: 'gave_up', table, try: attempt, afterMs: tried.waitedMs, why: tried.why, nextInMs })
    if (nextInMs === null)
      return { result: null, attempts: attempt, lockedMs: null, longestWaitMs, why: tried.why }
    await sleep(nextInMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
  }
}

function stopped(table: string): StoppedError {
  return new StoppedError('EW_STOPPED', `${table}: stopped between two tries; its phase is as it was`, {
    next: `Look at \`eventward cutover ${shellWord(table)} status\`.`,
    details: { table },
  })
}
