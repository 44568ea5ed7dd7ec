import type { CarriedColumn, CarriedName, EventInput } from './aggregate-types.js'
import type { Lookup } from './lookup.js'
import type { OccurredAt } from './occurred-at.js'
import type { AsksOf } from './predicates.js'
import type { Refused, RefusedValue } from './refused.js'
import type { AnyTable, ComputedColumn, KeyColumn, TableColumn, TableRow, TimeColumn } from './table-types.js'

/**
 * The compiler's check of `events`, to be intersected with their inferred type: what is right becomes `unknown`,
 * what is wrong `Refused<"why">`. Inference alone refuses nothing: a misspelt column passes through the index
 * signature of its bound. `checkDefinition` says the same at run time.
 */
export type CheckEvents<Events, T extends AnyTable, Residue extends string> = [
  CreatingEvent<Events>,
] extends [never]
  ? Refused<'no event creates a row: give one of them creates: true'>
  : {
      readonly [Name in keyof Events]: Name extends Residue
        ? Refused<`'${Name}' is the name of what no event explains: rename the event, or choose another with residue`>
        : CheckEvent<Events[Name], T>
    }

type CreatingEvent<Events> = {
  [Name in keyof Events]: Events[Name] extends { readonly creates: true } ? Name : never
}[keyof Events]

/** The same of one event. */
export type CheckEvent<E, T extends AnyTable> = {
  readonly [Option in keyof E]: Option extends 'data'
    ? CheckData<E[Option], T>
    : Option extends 'set'
      ? CheckSet<E[Option], T, CarriedColumn<E>>
      : Option extends 'when'
        ? CheckWhen<E[Option], T>
        : Option extends 'facts'
          ? CheckFacts<E[Option], CarriedName<E>>
          : Option extends 'upcast'
            ? CheckUpcast<E[Option], Attribute<E> | Forgotten<E[Option]>>
            : Option extends keyof EventInput
              ? unknown
              : Refused<`an event has no option '${Option & string}'`>
}

type NoColumn<C> = `no column '${C & string}' in this table`

/** Maps a list as well as a record of columns. */
type CheckData<Data, T extends AnyTable> = {
  readonly [Name in keyof Data]: Name extends '$residue'
    ? Refused<"an attribute can't be called '$residue'">
    : CheckCarried<Data[Name], T>
}

type CheckCarried<C, T extends AnyTable> =
  C extends TableColumn<T>
    ? C extends ComputedColumn<T>
      ? Refused<`'${C}' is a generated column`>
      : unknown
    : Refused<NoColumn<C>>

/** A refused null is told for the whole of `set`: null intersected with anything is `never`, which says nothing. */
type CheckSet<Set, T extends AnyTable, Carried> = [WrongNull<Set, TableRow<T>>] extends [never]
  ? { readonly [C in keyof Set]: CheckColumnOfSet<C, Set[C], T, Carried> }
  : Refused<`'${WrongNull<Set, TableRow<T>>}' is not null`>

type WrongNull<Set, Row> = {
  [C in keyof Set & keyof Row & string]: [Set[C]] extends [null] ? (null extends Row[C] ? never : C) : never
}[keyof Set & keyof Row & string]

type CheckColumnOfSet<C, V, T extends AnyTable, Carried> =
  C extends TableColumn<T>
    ? C extends Carried
      ? Refused<`'${C}' is both in data and in set`>
      : C extends ComputedColumn<T>
        ? Refused<`'${C}' is a generated column`>
        : C extends KeyColumn<T>
          ? Refused<`'${C}' is part of the key`>
          : CheckAssigned<C, V, T>
    : Refused<NoColumn<C>>

type CheckAssigned<C extends TableColumn<T>, V, T extends AnyTable> = [V] extends [OccurredAt]
  ? C extends TimeColumn<T>
    ? unknown
    : Refused<`'${C}' is no timestamp or date: occurredAt can't be bound to it`>
  : [V] extends [Lookup]
    ? unknown
    : [V] extends [TableRow<T>[C]]
      ? unknown
      : RefusedValue<WrongValue<C, V>, TableRow<T>[C]>

type WrongValue<C extends string, V> = [V] extends [null]
  ? `'${C}' is not null`
  : V extends string
    ? `'${V}' is no value of '${C}'`
    : V extends number | bigint | boolean
      ? `${V} is no value of '${C}'`
      : `this is no value of '${C}'`

type CheckWhen<P, T extends AnyTable> = [WrongAsk<AsksOf<P>, T>] extends [never]
  ? unknown
  : Refused<WrongAsk<AsksOf<P>, T>>

/** Of all that a predicate asks about, the messages for what is wrong. */
type WrongAsk<Ask, T extends AnyTable> = Ask extends readonly [infer C extends string, ...infer Rest]
  ? string extends C
    ? never // a predicate that was built by a program: left to the check at run time
    : C extends TableColumn<T>
      ? C extends ComputedColumn<T>
        ? `'${C}' is a generated column`
        : Rest extends readonly [infer V]
          ? [V] extends [TableRow<T>[C]]
            ? never
            : WrongValue<C, V>
          : never
      : NoColumn<C>
  : never

/** What a step names must become an attribute, or be renamed or dropped by another step. */
type CheckUpcast<Steps, Known> = { readonly [Version in keyof Steps]: CheckStep<Steps[Version], Known> }

type CheckStep<Step, Known> = Step extends readonly unknown[]
  ? { readonly [N in keyof Step]: CheckStep<Step[N], Known> }
  : [Exclude<Made<Step>, Known>] extends [never]
    ? unknown
    : Refused<`'${Exclude<Made<Step>, Known> & string}' is no attribute of this event`>

type Made<Step> =
  | (Step extends { readonly rename: infer R } ? R[keyof R] : never)
  | (Step extends { readonly add: infer A } ? keyof A : never)

type Attribute<E> = CarriedName<E> | (E extends { readonly facts: infer F } ? keyof F : never)

type Forgotten<Steps> = { [Version in keyof Steps]: ForgottenBy<Steps[Version]> }[keyof Steps]

type ForgottenBy<Step> = Step extends readonly (infer One)[]
  ? ForgottenBy<One>
  :
      | (Step extends { readonly rename: infer R } ? keyof R : never)
      | (Step extends { readonly drop: readonly (infer D)[] } ? D : never)

type CheckFacts<Facts, Carried> = {
  readonly [Name in keyof Facts]: Name extends '$residue'
    ? Refused<"a fact can't be called '$residue'">
    : Name extends Carried
      ? Refused<`'${Name & string}' is an attribute of data as well`>
      : unknown
}
