/**
 * Rows to events: runs, slices, retries, dry runs and restarts. Knows `store`, `bind` and `sql`; must never know how
 * it is shown, nor recognise an event by itself.
 */
export { backfill } from './backfill.js'
export { backfillAll } from './backfill-all.js'
export type {
  BackfillOptions,
  BackfillProgress,
  BackfillResult,
  LeftRow,
} from './backfill-result.js'
