/**
 * Carries events from one database to another: export as JSON lines, with columns masked, and import onto an empty
 * database whose rows are then made of them. Must never parse a stored value, nor write to the database that it exports.
 */
export { type ExportOptions, type ExportProgress, type ExportResult, exportEvents } from './export-events.js'
export type { ExportHeader } from './export-header.js'
export {
  type ImportedTable,
  type ImportOptions,
  type ImportProgress,
  type ImportResult,
  importEvents,
} from './import-events.js'
export { type Mask, type Masks, masksFor, parseMask } from './mask.js'
