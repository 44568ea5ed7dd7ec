/**
 * What an application calls, on its own knex: commands, the context of a request, and a knex that keeps events beside
 * writes. Runs in the application's transactions and leaves no setting behind; must never know a command of the CLI.
 */
export type { AnyCommand, ShownRow } from './any-command.js'
export { appendedEvent, shownText, storedValue } from './appended-event.js'
export { type AskTexts, attributeTexts } from './attribute-texts.js'
export { type CallerConnection, connectionOf } from './caller-connection.js'
export { readingSession } from './caller-session.js'
export type { Meaning } from './command-binding.js'
export type { Issue } from './command-issues.js'
export type { Target } from './command-plan.js'
export type {
  Appended,
  AppendedEvent,
  BuiltEvent,
  CallInput,
  CallOptions,
  DataOf,
  EventNames,
  KeyInput,
  Present,
  State,
  Stored,
} from './command-types.js'
export { type Context, contextMetadata, withContext } from './context.js'
export { type Command, type CommandInput, defineCommand } from './define-command.js'
export {
  defineJointCommand,
  type JointCallInput,
  type JointCallOptions,
  type JointCommand,
  type JointCommandInput,
} from './define-joint-command.js'
export { type EventGround, readGround } from './event-ground.js'
export {
  type CreateInput,
  type EventHandle,
  type EventHandles,
  eventsOf,
  type ResidueHandle,
} from './events-of.js'
export { type Enqueued, enqueuedAs, type Participant, participate, type Upcoming } from './participants.js'
export type { Built } from './planned-event.js'
export { stateOf } from './planned-rows.js'
export { type Predicates, predicatesOf } from './predicates-of.js'
export { EVENT_COLUMNS, readEvents } from './read-events.js'
export { type Rehearsal, type Rehearsed, type RehearsedStream, rehearse, targetsOf } from './rehearse.js'
export type { GivenEvent } from './rehearsed-row.js'
export { type FindOptions, type HistoryEvent, type Repository, repositoryOf } from './repository-of.js'
export { versionOf } from './shown-state.js'
export type { Change, Point } from './stream-history.js'
export { type EventsOf, type WithEventsOptions, withEvents } from './with-events.js'
