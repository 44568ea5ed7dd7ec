import type { EventsTable } from '../migrate/index.js'

export interface BackfillOptions {
  /** Slices at work at once in this process; the pool should have one connection more. @default 2 */
  readonly workers?: number
  /** Rows of a chunk, and of a slice at the most. @default 5000 */
  readonly chunkRows?: number
  /** Rows per second at the most, over all workers of this process. @default none */
  readonly maxRate?: number
  /** How long others (a rewrite, VACUUM FULL) may lock the table before the run gives up, in ms. @default 60000 */
  readonly patienceMs?: number
  /** Counts what would be written, in READ ONLY transactions. @default false */
  readonly dryRun?: boolean
  /** Archives the table's events and writes them anew. Needs `confirm`. @default false */
  readonly restart?: boolean
  /** The table, as it is named to the command line: consent to `restart`. */
  readonly confirm?: string
  /** Where the configuration says that events are; checked against the database. */
  readonly events?: EventsTable
  /** Stops after the slices at work; what was done is kept. */
  readonly signal?: AbortSignal
  /** Told about twice a second, and at the end. */
  readonly onProgress?: (progress: BackfillProgress) => void
}

/** Counts are texts: 64-bit numbers. */
export interface BackfillProgress {
  readonly table: string
  /** Rows that the run has read, over all processes at work on it. */
  readonly rows: string
  /** Rows that there are, or null where nobody knows. */
  readonly total: string | null
  /** True where `total` is the planner's guess. */
  readonly estimate: boolean
  readonly streams: string
  readonly events: string
  /** Rows per second since this process began, or null before the first are done. */
  readonly rate: number | null
  readonly etaSeconds: number | null
  /** Of this process. */
  readonly workers: number
  /** What it waits for, where it waits. */
  readonly note?: string
}

/** A row that could not be taken. */
export interface LeftRow {
  /** The stream's id that it would have. */
  readonly key: string
  readonly error: { readonly sqlstate: string | null; readonly message: string } | null
}

/**
 * What became of a table. Counts are those of the run, over all processes and resumes: `rows` read, `streams` and
 * `events` written by it. A row whose stream was there already (captured meanwhile, or by an earlier run) is in `rows`
 * and in `alreadyThere` only, so that a backfill run again after its end says `streams: "0"`.
 */
export interface BackfillResult {
  /** As the command line names it. */
  readonly table: string
  readonly rows: string
  readonly streams: string
  readonly events: string
  /** Rows whose stream was there: `rows` less `streams`. */
  readonly alreadyThere: string
  /** Whether every row up to the greatest key at the start has its stream. */
  readonly complete: boolean
  /** The receipt; null for a dry run. */
  readonly run: string | null
  /** Whether this run went on with what an earlier process began. */
  readonly resumed: boolean
  /** What could not be taken; at most 100, in order of discovery. */
  readonly left: readonly LeftRow[]
  readonly dryRun: boolean
  /** `off`: rows written during and after it are not captured, so that it counts for no gate. */
  readonly capture: 'on' | 'off'
}
