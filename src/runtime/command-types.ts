import type { Knex } from 'knex'
import type {
  Aggregate,
  AggregateRow,
  AnyAggregate,
  AnyTable,
  EventInput,
  StandardSchemaV1,
  Table,
} from '../definition/index.js'

/**
 * A value as it is stored: integers and numerics as the text that PostgreSQL writes (`12`, `1.10`), so that no digit is
 * lost; booleans as such.
 */
export type Stored<V> = Exclude<V, number | bigint>

/** The row of an aggregate as commands see it. */
export type State<A extends AnyAggregate> = {
  readonly [C in keyof AggregateRow<A>]: Stored<AggregateRow<A>[C]>
}

type EventsOf<A> = A extends Aggregate<string, AnyTable, infer Events> ? Events : never
export type EventOf<A, Type> = Type extends keyof EventsOf<A> ? EventsOf<A>[Type] : never

/** The events with which a row begins. */
export type CreatingType<A> = {
  [Type in keyof EventsOf<A>]: EventsOf<A>[Type] extends { readonly creates: true } ? Type : never
}[keyof EventsOf<A>] &
  string

/** The other declared events. */
export type ChangingType<A> = Exclude<keyof EventsOf<A> & string, CreatingType<A>>

/** The columns that an event carries, under its own names. */
export type CarriedBy<E, Row> = EventInput extends E
  ? Anything
  : E extends { readonly data: infer D }
    ? D extends readonly (infer C extends string)[]
      ? { readonly [Name in C]: Name extends keyof Row ? Row[Name] : never }
      : { readonly [Name in keyof D]: D[Name] extends keyof Row ? Row[D[Name]] : never }
    : Nothing

export type FactsOf<E> = EventInput extends E
  ? Anything
  : E extends { readonly facts: infer F }
    ? { readonly [Name in keyof F]: OutputOf<F[Name]> }
    : Nothing

/**
 * Of an aggregate of which nothing is known; while it is being inferred, too: then the literals in it keep the compiler
 * from widening what `build` gives (`'price'` to string) before it is checked.
 */
type Anything = Readonly<
  Record<string, '' | (string & Plain) | 0 | (number & Plain) | bigint | boolean | object | null>
>
type Plain = Record<never, never>

type Nothing = { readonly [name: string]: never }

/** An event as `build` gives it; `data` and `facts` may be left out where the event has none. */
export type BuiltEvent<A extends AnyAggregate, Type extends string> = {
  [T in Type]: { readonly type: T } & Member<'data', CarriedBy<EventOf<A, T>, AggregateRow<A>>> &
    Member<'facts', FactsOf<EventOf<A, T>>>
}[Type]

/** Absent where there is nothing to give. */
type Member<Name extends string, T> = string extends keyof T
  ? { readonly [N in Name]?: T }
  : { readonly [N in Name]: T }

/** An event as it was appended. Its attributes and facts stand in `data`, and on the event itself: `event.stripe_key`. */
export type AppendedEvent<A extends AnyAggregate = AnyAggregate, Type extends string = EventNames<A>> = {
  [T in Type]: Appended & {
    readonly type: T
    /** The row's, to call a command with: `Deactivate.call(knex, event.key)`. */
    readonly key: StoredKey<A>
    readonly data: DataOf<A, T>
  } & Accessors<DataOf<A, T>>
}[Type]

type StoredKey<A extends AnyAggregate> = { readonly [C in KeyOf<A>]: Stored<AggregateRow<A>[C]> }

/** What an event of this type carries, as commands and reactors see it. */
export type DataOf<A extends AnyAggregate, Type extends string> = Flat<
  StoredMembers<CarriedBy<EventOf<A, Type>, AggregateRow<A>>> & FactMembers<FactsOf<EventOf<A, Type>>>
>

/** An attribute that bears the name of something else (`version`) is found in `data` alone. */
type Accessors<Data> = Omit<Data, keyof Appended | 'type' | 'key' | 'data'>

type StoredMembers<D> = string extends keyof D ? unknown : { readonly [N in keyof D]: Stored<D[N]> }
type FactMembers<F> = string extends keyof F ? unknown : F
export type Flat<T> = { [P in keyof T]: T[P] }

/** What every event says of itself. */
export interface Appended {
  readonly aggregate: string
  /** The stream: the key's text. */
  readonly id: string
  /** 1, 2, ... in its stream. */
  readonly version: number
  /** Its place in the whole log: 64 bits, so a text. */
  readonly position: string
  readonly schemaVersion: number
  readonly metadata: Readonly<Record<string, unknown>>
  /** timestamptz text in UTC: `2018-04-06 10:00:00+00`. */
  readonly occurredAt: string
  readonly recordedAt: string
}

/** What is known beside the row while a command decides. */
export interface Present<A extends AnyAggregate = AnyAggregate> {
  /** The stream's id; null where the row is to be created under a key of the table's default. */
  readonly id: string | null
  /** The last version of the stream; 0 where it has none yet. */
  readonly version: number
  /** The time at which the command's events will have occurred: timestamptz text in UTC. */
  readonly now: string
  /** The command's transaction, to look something up in. */
  readonly trx: Knex.Transaction
  /** The state as it would be after these events: for what a second event of the same command depends upon. */
  after<Type extends EventNames<A>>(
    events: BuiltEvent<A, Type> | readonly BuiltEvent<A, Type>[],
  ): Promise<State<A> | null>
}

/** The names of an aggregate's declared events. */
export type EventNames<A extends AnyAggregate> = CreatingType<A> | ChangingType<A>

export type AnySchema = StandardSchemaV1 | undefined
export type OutputOf<Schema> = Schema extends {
  readonly '~standard': { readonly types?: { readonly output: infer Output } | undefined }
}
  ? Output
  : unknown
export type InputOf<Schema> = Schema extends {
  readonly '~standard': { readonly types?: { readonly input: infer Input } | undefined }
}
  ? Input
  : unknown

/** The attributes as `validate`, `noop` and `build` get them. */
export type AttributesOf<Schema extends AnySchema> = Schema extends StandardSchemaV1
  ? OutputOf<Schema>
  : Nothing

export type KeyOf<A extends AnyAggregate> =
  A['table'] extends Table<object, infer Key, string, string> ? Key & keyof AggregateRow<A> : never

/** A whole key. */
export type KeyInput<A extends AnyAggregate> = { readonly [C in KeyOf<A>]: AggregateRow<A>[C] }

/** What `call` takes: the key and the attributes. A creating command may leave the key to the table's default. */
export type CallInput<A extends AnyAggregate, Schema extends AnySchema, Creates> = Flat<
  (Creates extends true
    ? { readonly [C in KeyOf<A>]?: AggregateRow<A>[C] }
    : { readonly [C in KeyOf<A>]: AggregateRow<A>[C] }) &
    (Schema extends StandardSchemaV1 ? InputOf<Schema> : unknown)
>

export interface CallOptions {
  /** Joined to the metadata of the command's events; what eventward says there itself is not overwritten. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /**
   * The version at which the caller saw the stream (`versionOf`): where it has gone on since, EW_CONFLICT.
   * @default whatever it is
   */
  readonly expectedVersion?: number
  /** A command that is sent again under the same key does nothing, and gives the events of the first time. */
  readonly idempotencyKey?: string
  /**
   * How often it is tried again after a serialization failure or a deadlock, with a growing pause: only where the
   * transaction is the command's own.
   * @default 0
   */
  readonly retries?: number
}

/** One, or several where the command says so. */
export type Outcome<One, Several> = Several extends true ? readonly One[] : One

/** `void`, so that a body without a return is a yes. */
// biome-ignore lint/suspicious/noConfusingVoidType: a validation that returns nothing has nothing against it.
export type Objection = string | null | undefined | false | void
