/**
 * Fold: row, event -> row. What a stored event does, by the shape under which it was written. Pure; must never know a
 * database, a clock, or how events were recognised.
 */

export { carriedColumns } from './carried-columns.js'
export { compileFold, type Folder, fold } from './compile-fold.js'
export { declaredPaths, type FoldedAs } from './declared-path.js'
export { eventsWithCode } from './events-with-code.js'
export { type FoldedStream, foldStream } from './fold-stream.js'
export {
  type ColumnChange,
  changedColumns,
  type HistoryEntry,
  HistoryFolder,
  historyEntries,
} from './history-entries.js'
export { lastSetters } from './last-setters.js'
export { type Liftable, type LiftedEvent, lift } from './lift.js'
export { constantJson } from './lift-data.js'
export { type Reading, readingOf } from './reading.js'
export { type Point, type RowAt, RowAtFolder, rowAt } from './row-at.js'
export { type Moved, type ShapeView, shapeNamed, shapeView, writtenUnder } from './shape-view.js'
export { type SlotFolder, type Slots, slotFolder } from './slot-folder.js'
export type { StoredEvent, StreamProblem } from './stored-event.js'
export { StreamFolder } from './stream-folder.js'
