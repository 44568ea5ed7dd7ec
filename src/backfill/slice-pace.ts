import type { FailureKind } from './failure.js'

/**
 * How many rows are taken at once, by all workers of a process. `usual` follows the time that slices take; `hunts` has
 * the chunks with a row that can't be taken, and among how many rows it is: they are halved until it's alone.
 */
export interface Pace {
  readonly usual: number
  readonly hunts: ReadonlyMap<string, number>
}

/** A slice that was tried: number of its chunk, rows asked for. */
export interface Tried {
  readonly n: string
  readonly asked: number
}

export const initialPace = (chunkRows: number): Pace => ({ usual: chunkRows, hunts: new Map() })

/** Rows to ask for next, of this chunk. Pure. */
export function limitFor(pace: Pace, n: string): number {
  const suspects = pace.hunts.get(n)
  return suspects === undefined ? pace.usual : Math.min(pace.usual, Math.max(1, Math.ceil(suspects / 2)))
}

/**
 * After a slice that was taken. It grows by a quarter below a third of the time it may take, and shrinks by a quarter
 * above two thirds: a slice that is cancelled has done its work for nothing. Pure.
 */
export function afterSlice(
  pace: Pace,
  slice: Tried & { readonly rows: number; readonly ms: number },
  limits: { readonly chunkRows: number; readonly statementMs: number },
): Pace {
  const suspects = pace.hunts.get(slice.n)
  if (suspects !== undefined) {
    // Fewer rows than asked for: the chunk ended, and whatever stood in the way has gone.
    const left = slice.rows < slice.asked ? 0 : suspects - slice.rows
    return { ...pace, hunts: withHunt(pace.hunts, slice.n, left) }
  }
  const share = slice.ms / limits.statementMs
  if (share > 2 / 3) return { ...pace, usual: Math.max(1, Math.floor(slice.rows * 0.75)) }
  // The end of a chunk, or a bound on the rate, tells nothing about what a full slice would take.
  if (share > 1 / 3 || slice.rows < pace.usual) return pace
  return { ...pace, usual: Math.min(limits.chunkRows, Math.ceil(pace.usual * 1.25)) }
}

/** After a slice that failed: `alone` where the row is known that can't be taken. Pure. */
export function afterFailure(
  pace: Pace,
  tried: Tried,
  kind: FailureKind,
): { readonly pace: Pace; readonly alone: boolean } {
  if (tried.asked === 1) return { pace: { ...pace, hunts: withHunt(pace.hunts, tried.n, 0) }, alone: true }
  if (kind === 'slow') {
    // Time is a matter of all rows, not of one of them. Workers that fail together halve it once.
    return { pace: { ...pace, usual: Math.min(pace.usual, Math.floor(tried.asked / 2)) }, alone: false }
  }
  const suspects = Math.min(pace.hunts.get(tried.n) ?? tried.asked, tried.asked)
  return { pace: { ...pace, hunts: withHunt(pace.hunts, tried.n, suspects) }, alone: false }
}

function withHunt(hunts: Pace['hunts'], n: string, suspects: number): Pace['hunts'] {
  const changed = new Map(hunts)
  if (suspects > 0) changed.set(n, suspects)
  else changed.delete(n)
  return changed
}
