import type { Knex } from 'knex'
import type { AggregateRow, AnyAggregate, Constant, Refused } from '../definition/index.js'
import type { AppendedEvent, BuiltEvent, EventNames, State } from '../runtime/index.js'

/** What writes of old code may have left behind, under its usual names. */
type Residue<A extends AnyAggregate> =
  | ('Changed' extends EventNames<A> ? never : Changed<A>)
  | ('Deleted' extends EventNames<A> ? never : { readonly type: 'Deleted' })
interface Changed<A extends AnyAggregate> {
  readonly type: 'Changed'
  /** Columns, and what they became. */
  readonly data: Partial<AggregateRow<A>>
}

interface Happened {
  /** When it happened, in ISO 8601. @default the time at which the command is called */
  readonly at?: string
}

/** An event that has happened: as `build` gives it, or what no event explains. */
export type GivenEvent<A extends AnyAggregate> = (BuiltEvent<A, EventNames<A>> | Residue<A>) & Happened

/** An event that is expected. */
export type ExpectedEvent<A extends AnyAggregate> = BuiltEvent<A, EventNames<A>> | Residue<A>

/** Columns that are expected; those that aren't named may hold anything. Null: there is no row. */
export type ExpectedRow<A extends AnyAggregate> = Partial<AggregateRow<A>> | null

interface Callable {
  readonly name: string | null
  call(knex: never, input: never, options?: never): Promise<unknown>
}

/** What `defineCommand` gave. */
export type SingleCommand<A extends AnyAggregate = AnyAggregate> = Callable & { readonly aggregate: A }

type Aggregates = Readonly<Record<string, AnyAggregate>>

/** What `defineJointCommand` gave. */
export type JointCommandOf<As extends Aggregates = Aggregates> = Callable & { readonly aggregates: As }

export type AnyCommandLike = SingleCommand | JointCommandOf

/** What a command takes. */
export type InputOf<C extends Callable> = Parameters<C['call']>[1]

/** What stands for the database, beside the events. */
interface WorldOptions {
  /** The time at which the command is called, in ISO 8601. @default '2000-01-01 00:00:00+00' */
  readonly now?: string
  /** The key of the row that a lookup finds. @default 1, 2, ... in the order in which the definition names them */
  readonly lookup?: (lookup: {
    readonly table: string
    readonly where: Readonly<Record<string, Constant>>
  }) => string | number | bigint
  /** `present.trx`. @default what refuses any use */
  readonly trx?: Knex.Transaction
}

export type WhenOptions<C extends Callable> = WorldOptions &
  (C extends JointCommandOf<infer As>
    ? {
        /** What the tables give a new row by default. A key that is an integer is 1, a uuid 00...01, where they give one. */
        readonly defaults?: { readonly [S in keyof As]?: Partial<AggregateRow<As[S]>> }
        /** As of `call`. */
        readonly expectedVersions?: { readonly [S in keyof As]?: number }
      }
    : C extends SingleCommand<infer A>
      ? {
          /** What the table gives a new row by default. A key that is an integer is 1, a uuid 00...01, where it gives one. */
          readonly defaults?: Partial<AggregateRow<A>>
          /** As of `call`. */
          readonly expectedVersion?: number
        }
      : unknown)

/** What `when` gives: an expectation is to be put to it, and that one awaited. */
export interface Run<Events, Row, Outcome> {
  /** These events and no others, in this order. @throws AssertionError with a diff */
  then(events: Events): Promise<void>
  /** The row that it leads to. @throws AssertionError with a diff of the columns that are named */
  thenRow(row: Row): Promise<void>
  /** A no-op: nothing is appended. @throws AssertionError */
  thenNothing(): Promise<void>
  /**
   * It's refused, and each of these says so: a code (`EW_COMMAND_REFUSED`), a text or pattern in the message, a function.
   *
   * @throws AssertionError
   */
  thenThrows(...matchers: readonly ErrorMatcher[]): Promise<void>
  /** What came out, for whoever has other questions. @throws what the command threw */
  outcome(): Promise<Outcome>
}

export type ErrorMatcher = string | RegExp | ((error: unknown) => boolean)

/** What came out of a command over one aggregate; events are empty and the row null where nothing was done. */
export interface Outcome<A extends AnyAggregate> {
  readonly events: readonly AppendedEvent<A, EventNames<A>>[]
  readonly row: State<A> | null
}

type SingleRun<A extends AnyAggregate> = Run<
  ExpectedEvent<A> | readonly ExpectedEvent<A>[],
  ExpectedRow<A>,
  Outcome<A>
>
type JointRun<As extends Aggregates> = Run<
  { readonly [S in keyof As]?: ExpectedEvent<As[S]> | readonly ExpectedEvent<As[S]>[] },
  { readonly [S in keyof As]?: ExpectedRow<As[S]> },
  { readonly [S in keyof As]: Outcome<As[S]> }
>

export type RunOf<C> =
  C extends JointCommandOf<infer As> ? JointRun<As> : C extends SingleCommand<infer A> ? SingleRun<A> : never

/** Events whose aggregate is known once the command is. */
export interface LooseEvent {
  readonly type: string
  readonly data?: Readonly<Record<string, unknown>>
  readonly facts?: Readonly<Record<string, unknown>>
  readonly at?: string
}
export type LooseEvents = readonly LooseEvent[] | { readonly [slot: string]: readonly LooseEvent[] }

/** `unknown` where the events are the command's, a message where they aren't. */
export type FitsCommand<E, C> =
  C extends JointCommandOf<infer As>
    ? E extends readonly unknown[]
      ? Refused<'name the aggregate of each list of events, as the command does'>
      : { readonly [S in keyof E]: S extends keyof As ? FitsAll<E[S], As[S]> : NoAggregate<S> }[keyof E]
    : C extends SingleCommand<infer A>
      ? FitsAll<E, A>
      : unknown

type NoAggregate<S> = Refused<`the command has no aggregate '${S & string}'`>

type FitsAll<E, A extends AnyAggregate> = E extends readonly (infer One)[]
  ? [Misfit<One, A>] extends [never]
    ? unknown
    : Refused<Misfit<One, A>>
  : Refused<'events are given as a list'>

type Misfit<E, A extends AnyAggregate> = E extends { readonly type: infer T extends string }
  ? [Extract<GivenEvent<A>, { readonly type: T }>] extends [never]
    ? `'${T}' is no event of ${A['name']}`
    : E extends Extract<GivenEvent<A>, { readonly type: T }>
      ? Strangers<E, Extract<GivenEvent<A>, { readonly type: T }>>
      : `this is not what ${T} carries`
  : never

/** A name that isn't fresh passes through a structural check. */
type Strangers<E, Known> = StrangersIn<E, Known, 'data'> | StrangersIn<E, Known, 'facts'>
type StrangersIn<E, Known, Member extends string> = E extends { readonly [N in Member]: infer Given }
  ? Known extends { readonly [N in Member]: infer Declared }
    ? Exclude<keyof Given, keyof Declared> extends infer Wrong extends string
      ? `'${Wrong}' is no attribute of this event`
      : never
    : never
  : never
