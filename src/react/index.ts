/**
 * Reactors behind a dispatcher: called in an event's transaction, or after it from a queue of jobs; what no command
 * enqueued is read from the log. Must never know a projection, nor write an event.
 */

export { resetConsumer } from './consumers.js'
export {
  type Dispatcher,
  defineDispatcher,
  everything,
  type OnEvent,
  type Reactions,
} from './define-dispatcher.js'
export { discardJobs, type FailedJob, failedJobs, retryJobs } from './failed-jobs.js'
export {
  type CalledReactor,
  type ReactionContext,
  type Reactor,
  type ReactorOptions,
  reactor,
  type TriggerContext,
} from './reactor.js'
export { type ReactorStatus, reactorStatus } from './reactor-status.js'
export { dispatcherOf } from './select-dispatcher.js'
export { reactionWorker } from './worker.js'
export type { ReactionWorker, WorkerEvent, WorkerOptions } from './worker-types.js'
