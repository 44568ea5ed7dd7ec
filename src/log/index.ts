/**
 * Reads the whole log: each event once, in order, whatever the order in which transactions committed. A cursor is a
 * `pg_snapshot`; it's kept by the reader, in the transaction of what it did. Must never know what is done with events.
 */
export { BEGINNING, type Cursor, closeWindow, cursorAt, type Mark, openWindow } from './cursor.js'
export { cursorColumns, cursorOf, cursorValues, setCursor } from './cursor-columns.js'
export { EPOCH, presentEpoch } from './epoch.js'
export { type EventName, isOneOf } from './named-events.js'
export type { Statements } from './statements.js'
export { type EventsAt, restoredSql, takeMark } from './take-mark.js'
export { inWindow, notDelivered } from './window-sql.js'
