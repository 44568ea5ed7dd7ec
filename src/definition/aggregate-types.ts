import type { Lookup } from './lookup.js'
import type { AggregateDefinition, Constant, Predicate } from './model.js'
import type { OccurredAt } from './occurred-at.js'
import type { SchemaOutput, StandardSchemaV1 } from './standard-schema.js'
import type { AnyTable, TableRow } from './table-types.js'

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
