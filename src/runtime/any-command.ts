import type { AggregateDefinition, StandardSchemaV1 } from '../definition/index.js'
import type { Objection, Present } from './command-types.js'
import type { Built } from './planned-event.js'

/** A command as plain data: what `defineCommand` was given, without its types. */
export interface AnyCommand {
  readonly name?: string
  readonly aggregate: AggregateDefinition
  readonly attributes?: StandardSchemaV1
  readonly creates?: boolean
  readonly deletes?: boolean
  readonly several?: boolean
  readonly validate?: Decide<Objection>
  readonly noop?: Decide<boolean>
  readonly build: Decide<Built | readonly Built[]>
}

/** A row as commands see it. */
export type ShownRow = Readonly<Record<string, string | boolean | null>>
type Decide<T> = (state: ShownRow | null, attributes: unknown, present: Present) => T | Promise<T>

/** A command over several aggregates as plain data, by the names that it gives them. */
export interface AnyJointCommand {
  readonly name?: string
  readonly aggregates: Readonly<Record<string, AggregateDefinition>>
  readonly creates?: readonly string[]
  readonly attributes?: StandardSchemaV1
  readonly validate?: DecideJointly<Objection>
  readonly noop?: DecideJointly<boolean>
  readonly build: DecideJointly<BuiltBySlot>
}

/** What is built for each; nothing where it stays as it is. */
export type BuiltBySlot = Readonly<Record<string, Built | readonly Built[] | null | undefined>>
type DecideJointly<T> = (
  states: Readonly<Record<string, ShownRow | null>>,
  attributes: unknown,
  presents: Readonly<Record<string, Present>>,
) => T | Promise<T>
