/**
 * eventward/testing: an application's commands and definitions, tested without a server, by any test runner. What only a
 * server knows (defaults, lookups, types of extensions) is given to it or taken as written; must never know a connection.
 */
export { expectLossless, type LosslessOptions, type Recognised, type RowOrChange } from './expect-lossless.js'
export { given } from './given.js'
export type {
  ErrorMatcher,
  ExpectedEvent,
  ExpectedRow,
  GivenEvent,
  Outcome,
  Run,
  WhenOptions,
} from './given-types.js'
