/**
 * What an application calls, on its own knex: commands, the context of a request, and a knex that keeps events beside
 * writes. Runs in the application's transactions and leaves no setting behind; must never know a command of the CLI.
 */
export type {
  AppendedEvent,
  BuiltEvent,
  CallInput,
  CallOptions,
  Present,
  State,
  Stored,
} from './command-types.js'
export { type Context, withContext } from './context.js'
export { type Command, type CommandInput, defineCommand } from './define-command.js'
export { type EventsOf, type WithEventsOptions, withEvents } from './with-events.js'
