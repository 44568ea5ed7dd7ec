/**
 * Looks without touching: plan, explain, status, runs, history, show, lint, doctor. Every session is READ ONLY, and the
 * server enforces it. Must never write, nor know how a result is shown.
 */

export type { ColumnChange } from '../fold/index.js'
export { type DoctorConfig, doctor } from './doctor.js'
export { type Explained, type ExplainOptions, explain, type Pattern } from './explain.js'
export type { Finding } from './finding.js'
export {
  type History,
  type HistoryHead,
  type HistoryInput,
  type HistoryReader,
  history,
  readHistory,
} from './history.js'
export type { HistoryEntry, ReadAs, Who, Why } from './history-entry.js'
export type { LastBackfill, LastVerify } from './last-runs.js'
export { lint } from './lint.js'
export type { LintFinding } from './lint-finding.js'
export { type PlannedTable, type PlanOptions, plan } from './plan.js'
export { type Receipt, run, runs } from './runs.js'
export { aggregateNamed, selectAggregates } from './select-aggregates.js'
export { type Shown, show } from './show.js'
export { status, type TableStatus } from './status.js'
