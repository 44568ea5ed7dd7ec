/**
 * Projections beyond the row: tables that handlers write from events, in a command's transaction or behind it, and their
 * rebuild beside the live one. Must never know a reactor, nor write an event.
 */
export type { NoParity, Parity } from './compare.js'
export {
  defineProjection,
  type OnEvent,
  type Projection,
  type ProjectionContext,
  type ProjectionInput,
} from './define-projection.js'
export { attachProjections } from './inline.js'
export {
  type ProjectionRound,
  type ProjectionRunner,
  type ProjectionRunnerOptions,
  projectionRunner,
} from './projection-runner.js'
export { dropOld, type ReplayOptions, type ReplayProgress, type ReplayResult, replay } from './replay.js'
export { projectionsOf, selectProjection } from './select-projection.js'
