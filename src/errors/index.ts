/**
 * Errors: a code, what is wrong, where, and what to do next. Knows no other room.
 */
export {
  ConflictError,
  DatabaseError,
  type ErrorContext,
  EventwardError,
  type ExitStatus,
  GateError,
  StoppedError,
  UsageError,
} from './eventward-error.js'
export { shellWord } from './shell-word.js'
