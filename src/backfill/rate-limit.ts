/** Spreads rows over time, for all workers of a process together. */
export interface RateLimit {
  /** How long to wait before the next slice, in ms. */
  readonly waitMs: () => number
  readonly spend: (rows: number) => void
  /** Rows of a slice at the most, so that the rate is kept in the small as well. */
  readonly burst: number
}

/** `now` gives ms of a clock that never runs back. */
export function rateLimit(maxRate: number | undefined, now: () => number): RateLimit {
  if (maxRate === undefined) return { waitMs: () => 0, spend: () => undefined, burst: Infinity }
  let free = now()
  return {
    waitMs: () => Math.max(0, free - now()),
    spend: (rows) => {
      free = Math.max(free, now()) + (rows * 1000) / maxRate
    },
    burst: Math.max(1, Math.floor(maxRate / 4)),
  }
}
