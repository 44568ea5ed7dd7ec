/**
 * The whole move on an embedded PostgreSQL, by the code that the commands run, and the proof that it went as it must.
 * Must never touch a database or a folder of the user's.
 */
export { type DemoOptions, type DemoResult, type DemoTable, demo } from './demo.js'
export type { DemoFound, DemoStep } from './demo-step.js'
export type { DemoLock, LoadSummary } from './load-summary.js'
