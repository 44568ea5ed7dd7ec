import type { FailureKind } from './failure.js'

/**
 * How many rows a worker takes at once. `usual` follows the time that slices take; `hunt` halves the rows of one chunk
 * until the one is alone that can't be taken.
 */
export interface Pace {
  readonly usual: number
  readonly hunt: { readonly n: string; readonly suspects: number } | null
}

/** A slice that was tried: chunk, rows asked for. */
export interface Tried {
  readonly n: string
  readonly asked: number
}

export const initialPace = (chunkRows: number): Pace => ({ usual: chunkRows, hunt: null })

/** Rows to ask for next, of this chunk. Pure. */
export function limitFor(pace: Pace, n: string): number {
  if (pace.hunt?.n !== n) return pace.usual
  return Math.max(1, Math.ceil(pace.hunt.suspects / 2))
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
  if (pace.hunt?.n === slice.n) {
    const suspects = pace.hunt.suspects - slice.rows
    // Fewer rows than asked for: the chunk ended, and whatever stood in the way has gone.
    return { ...pace, hunt: suspects < 1 || slice.rows < slice.asked ? null : { n: slice.n, suspects } }
  }
  const share = slice.ms / limits.statementMs
  if (share > 2 / 3) return { usual: Math.max(1, Math.floor(slice.rows * 0.75)), hunt: null }
  // The end of a chunk, or a bound on the rate, tells nothing about what a full slice would take.
  if (share > 1 / 3 || slice.rows < pace.usual) return { ...pace, hunt: null }
  return { usual: Math.min(limits.chunkRows, Math.ceil(pace.usual * 1.25)), hunt: null }
}

/** After a slice that failed: `alone` where the row is known that can't be taken. Pure. */
export function afterFailure(
  pace: Pace,
  tried: Tried,
  kind: FailureKind,
): { readonly pace: Pace; readonly alone: boolean } {
  if (tried.asked === 1) return { pace: { ...pace, hunt: null }, alone: true }
  if (kind === 'slow') {
    // Time is a matter of all rows, not of one of them.
    const usual = Math.max(1, Math.floor(Math.min(pace.usual, tried.asked) / 2))
    const hunt = pace.hunt === null ? null : { ...pace.hunt, suspects: usual }
    return { pace: { usual, hunt }, alone: false }
  }
  return { pace: { ...pace, hunt: { n: tried.n, suspects: tried.asked } }, alone: false }
}
