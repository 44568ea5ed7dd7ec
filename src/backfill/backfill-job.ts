import type { Database } from '../db/index.js'
import type { BoundModel } from '../definition/index.js'
import type { EventsTable } from '../migrate/index.js'
import type { TypedKey } from '../sql/index.js'
import type { Run } from '../store/index.js'
import type { BackfillOptions } from './backfill-result.js'
import type { RateLimit } from './rate-limit.js'
import type { TimeLimits } from './time-limits.js'

/** All that the workers of one table share. */
export interface BackfillJob {
  readonly database: Database
  readonly model: BoundModel
  readonly key: TypedKey
  /** What the table was when the model was bound to it: see `readRowShape`. */
  readonly shape: string
  readonly events: EventsTable
  readonly run: Run
  /** The epoch of the capture beside which it runs, or null where writes meanwhile are not captured. */
  readonly capture: string | null
  readonly resumed: boolean
  /** As the command line names it. */
  readonly tableName: string
  /** Rows by the planner's estimate. */
  readonly rowEstimate: string | null
  readonly limits: TimeLimits
  readonly workers: number
  readonly chunkRows: number
  readonly rate: RateLimit
  /** How long the table may be locked by others before the run gives up, in ms. */
  readonly patienceMs: number
  readonly onProgress: BackfillOptions['onProgress']
}

/** A row that can't be taken is tried so often. */
export const MAX_ATTEMPTS = 5

/** Waits between its tries, in ms: 250, 500, 1000, 2000. */
export function backoffMs(attempts: number): number {
  return 250 * 2 ** (attempts - 1)
}
