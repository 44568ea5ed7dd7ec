/**
 * Capture: puts the triggers of a table on, takes them off, says whether they are whole. What they do is compiled by
 * `sql`; must never write an event, nor read a row of a legacy table.
 */
export { captureAll } from './capture-all.js'
export { captureOff } from './capture-off.js'
export { captureOn } from './capture-on.js'
export type {
  CaptureFailure,
  CaptureOptions,
  CaptureProblem,
  CaptureResult,
  CaptureStatus,
  Phase,
} from './capture-result.js'
export { captureStatus } from './capture-status.js'
export { captureObstacles, type Obstacle } from './obstacles.js'
