import type { ApplyVersion } from './apply.js'
import type { Lookup } from './lookup.js'
import type { AggregateDefinition, Constant, Predicate } from './model.js'
import type { OccurredAt } from './occurred-at.js'
import type { SchemaOutput, StandardSchemaV1 } from './standard-schema.js'
import type { AnyTable, ComputedColumn, TableRow } from './table-types.js'
import type { UpcastInput } from './upcast.js'

/** An event as a definition writes it. */
export interface EventInput {
  /** A row begins with it. @default false */
  readonly creates?: boolean
  /** To be raised whenever the meaning of `data` or `set` changes and events are stored. @default 1 */
  readonly schemaVersion?: number
  /** The columns that it carries: `['stripe_key']`, or `{ stripeKey: 'stripe_key' }` under other names. */
  readonly data?: readonly string[] | Readonly<Record<string, string>>
  /** What no column holds: only a command can give it. */
  readonly facts?: Readonly<Record<string, StandardSchemaV1>>
  /** The columns that it sets without carrying them. */
  readonly set?: Readonly<Record<string, Constant | OccurredAt | Lookup>>
  /** When a write means it. @default what `set` and `data` say */
  readonly when?: Predicate
  /**
   * How older schema versions are read, by version: `{ 1: { rename: { key: 'stripe_key' } } }` makes a 2 of a 1. No stored
   * event is changed, and the row is folded as each event meant it when it was written.
   */
  readonly upcast?: Readonly<Record<number, UpcastInput>>
  /** Names that it had before: events that are stored under one of them are read as this. */
  readonly from?: readonly string[]
}

export type EventInputs = Readonly<Record<string, EventInput>>

/** Names of the events that stand for what no event explains. */
export interface ResidueNames {
  /** @default 'Changed' */
  readonly changed?: string
  /** @default 'Deleted' */
  readonly deleted?: string
}

/** Carries the events' types; never set. */
declare const events: unique symbol

/** What `defineAggregate` gives: the definition, and the types of its rows and events. */
export interface Aggregate<Name extends string, T extends AnyTable, Events extends EventInputs>
  extends AggregateDefinition {
  readonly name: Name
  readonly table: T
  readonly [events]?: Events
}

export type AnyAggregate = Aggregate<string, AnyTable, EventInputs>

/**
 * The row of an aggregate.
 * @example type Row = AggregateRow<typeof Subscription>
 */
export type AggregateRow<A extends AnyAggregate> = TableRow<A['table']>

/** The names of its declared events. */
export type EventType<A extends AnyAggregate> = keyof EventsOf<A> & string

/**
 * The attributes of one event: the columns that it carries and its facts.
 * @example type Activated = EventData<typeof Subscription, 'Activated'> // { stripe_key: string | null }
 */
export type EventData<A extends AnyAggregate, Type extends EventType<A>> = Flat<
  CarriedData<EventsOf<A>[Type], TableRow<A['table']>> & FactData<EventsOf<A>[Type]>
>

/** The columns that an event carries. */
export type CarriedColumn<E> = E extends { readonly data: infer D }
  ? D extends readonly (infer C extends string)[]
    ? C
    : D[keyof D] & string
  : never

/** The names under which it carries them. */
export type CarriedName<E> = E extends { readonly data: infer D }
  ? D extends readonly (infer C extends string)[]
    ? C
    : keyof D & string
  : never

/** The events with what their aggregate's `base` gives each of them. */
export type WithBase<Events, Base> = keyof Base extends never
  ? Events
  : { readonly [Name in keyof Events]: MergedEvent<Events[Name], Base> }

type MergedEvent<E, Base> = Omit<E, 'data' | 'facts'> & {
  readonly data: Flat<DataRecord<E> & Omit<DataRecord<Base>, keyof DataRecord<E>>>
  readonly facts: Flat<FactsRecord<E> & Omit<FactsRecord<Base>, keyof FactsRecord<E>>>
}

type DataRecord<E> = E extends { readonly data: infer D }
  ? D extends readonly (infer C extends string)[]
    ? { readonly [N in C]: N }
    : D
  : unknown

type FactsRecord<E> = E extends { readonly facts: infer F } ? F : unknown

/** The row as a hand-written `apply` gets it: integers and numerics as the text that PostgreSQL writes. */
export type ApplyState<T extends AnyTable> = {
  readonly [C in Exclude<keyof TableRow<T>, ComputedColumn<T>>]: Exclude<TableRow<T>[C], number | bigint>
}

/** The event as it gets it. */
export interface ApplyEventOf<E, Type, T extends AnyTable> {
  readonly type: Type
  readonly id: string
  readonly data: Flat<AppliedData<E, TableRow<T>> & FactData<E>>
  /** timestamptz text in UTC. */
  readonly occurredAt: string
}

type AppliedData<E, Row> = E extends { readonly data: infer D }
  ? D extends readonly (infer C extends string)[]
    ? { readonly [N in C]: N extends keyof Row ? Exclude<Row[N], number | bigint> : never }
    : { readonly [N in keyof D]: D[N] extends keyof Row ? Exclude<Row[D[N]], number | bigint> : never }
  : unknown

/** What it gives: columns that it changes, or all of them. */
export type Applied<T extends AnyTable> = {
  readonly [C in keyof ApplyState<T>]?: TableRow<T>[C] | NumberText<TableRow<T>[C]>
}

/** Whoever calculates gives a text, which no type knows to be a number's. */
type NumberText<V> = [Extract<V, number>] extends [never] ? never : string

/** `apply`, by event: a function, or one with a version. */
export type ApplyInputs<Events, T extends AnyTable> = {
  readonly [Type in keyof Events]?:
    | ((state: ApplyState<T>, event: ApplyEventOf<Events[Type], Type, T>) => Applied<T>)
    | ApplyVersion<ApplyState<T>, ApplyEventOf<Events[Type], Type, T>, Applied<T>>
}

type EventsOf<A extends AnyAggregate> = NonNullable<A[typeof events]>

type CarriedData<E, Row> = E extends { readonly data: infer D }
  ? D extends readonly (infer C extends string)[]
    ? { readonly [Name in C]: Name extends keyof Row ? Row[Name] : never }
    : { readonly [Name in keyof D]: D[Name] extends keyof Row ? Row[D[Name]] : never }
  : unknown

type FactData<E> = E extends { readonly facts: infer F }
  ? { readonly [Name in keyof F]: SchemaOutput<F[Name]> }
  : unknown

type Flat<T> = { [P in keyof T]: T[P] }
