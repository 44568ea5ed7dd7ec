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
