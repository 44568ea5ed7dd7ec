import type { BoundColumn } from '../definition/index.js'

/** An event that a write means, not yet stored. */
export interface RecognisedEvent {
  readonly streamId: string
  readonly type: string
  readonly schemaVersion: number
  /** The attributes as JSON text, canonically encoded. */
  readonly data: string
  /** timestamptz text in UTC. */
  readonly occurredAt: string
  /** True where no column told the time. */
  readonly inferred: boolean
}

/** An instant that a bound column's text means, and the local time that the instant gives back. */
export interface Instant {
  /** timestamptz text in UTC. */
  readonly utc: string
  /** timestamp text in the model's time zone. Differs from the column's own where the zone skips or repeats an hour. */
  readonly local: string
}

export interface RecogniseContext {
  /**
   * The time of what no column dates (timestamptz text in UTC): for a live write the clock under the row's lock; for a
   * backfill the start of the run.
   */
  readonly now: string
  /** A backfill dates what no column dates by `updatedAt`, else by the creation, else by `now`. @default false */
  readonly backfill?: boolean
  /**
   * What instant a column's text means; null where it means none. Needed for models of a zone other than UTC, where
   * only the server may answer (two time zone databases would be two meanings).
   */
  readonly instantOf?: (column: BoundColumn, text: string) => Instant | null
}
