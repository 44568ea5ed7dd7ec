/** How far a command is with one table, as it tells it. Counts are texts. */
export interface ProgressRecord {
  readonly table: string
  /** Rows done. */
  readonly rows: string
  /** Rows in all, or null where nobody knows. */
  readonly total: string | null
  /** True where `total` is the planner's guess. */
  readonly estimate: boolean
  /** Events written or read, or null where they're not counted. */
  readonly events: string | null
  /** What `rows` counts, where it's something else. @default 'rows' */
  readonly unit?: string
  /** Why it is slow or waits, in words. */
  readonly note?: string | undefined
}

/** A record with the moment at which it came, in ms of a clock that never runs back. */
export interface Sample {
  readonly record: ProgressRecord
  readonly at: number
}

/** What can be said about speed: null where that's nothing. */
export interface Pace {
  readonly rowsPerSecond: number | null
  readonly etaSeconds: number | null
  readonly share: number | null
}

/** The shortest stretch of time that tells a rate, in ms: two records of one moment tell none. */
const MIN_STRETCH_MS = 250

/** Rate over the samples kept (oldest first), what is left at that rate, and the share done. Pure. */
export function paceOf(samples: readonly Sample[]): Pace {
  const first = samples[0]
  const last = samples.at(-1)
  if (first === undefined || last === undefined) return { rowsPerSecond: null, etaSeconds: null, share: null }
  const rows = Number(last.record.rows)
  const total = last.record.total === null ? null : Math.max(Number(last.record.total), rows)
  const stretch = last.at - first.at
  const made = rows - Number(first.record.rows)
  const rate = stretch < MIN_STRETCH_MS || made <= 0 ? null : (made * 1000) / stretch
  return {
    rowsPerSecond: rate,
    etaSeconds: rate === null || total === null ? null : (total - rows) / rate,
    share: total === null || total === 0 ? null : rows / total,
  }
}
