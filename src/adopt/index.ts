/**
 * Adopt: takes over schema changes that the application has made to a table whose events are kept. Records what fold and
 * verify read, and puts capture on for the columns as they are; must never change a stored event.
 */
export { adopt } from './adopt.js'
export type { AdoptedColumn, AdoptOptions, AdoptResult } from './adopt-result.js'
