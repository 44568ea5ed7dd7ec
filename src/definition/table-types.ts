import type { ColumnDescription, TableDescription } from './model.js'

/** A constant of a smallint, integer or bigint column; beyond 2^53 write it as a bigint or a string. */
export type Integer = number | bigint | `${bigint}`

/** A constant of a numeric, real or double precision column. A string is kept digit by digit. */
export type Numeric = number | bigint | `${number}` | 'NaN' | 'Infinity' | '-Infinity'

/** Carries types that no value has; never set. */
declare const types: unique symbol

/**
 * A table's description with the types of its row: what `defineTable` gives. Its parameters are the row interface,
 * the columns of the key, those that hold a time, and those that the database computes.
 */
export interface Table<Row extends object, Key extends string, Times extends string, Computed extends string>
  extends TableDescription {
  readonly [types]?: {
    readonly row: Row
    readonly key: Key
    readonly times: Times
    readonly computed: Computed
  }
}

/** Any table that `defineTable` gave. */
export type AnyTable = Table<object, string, string, string>

type TypesOf<T extends AnyTable> = NonNullable<T[typeof types]>

/** The row interface of a table: column -> the type of a constant in it. */
export type TableRow<T extends AnyTable> = TypesOf<T>['row']
export type TableColumn<T extends AnyTable> = keyof TableRow<T> & string
/** The columns of the key. */
export type KeyColumn<T extends AnyTable> = TypesOf<T>['key']
/** The columns to which `occurredAt` may be bound. */
export type TimeColumn<T extends AnyTable> = TypesOf<T>['times']
/** The generated columns, which no event carries or sets. */
export type ComputedColumn<T extends AnyTable> = TypesOf<T>['computed']

type Described = Readonly<Record<string, ColumnDescription>>

/** Names of the columns of type timestamp, timestamp with time zone or date, through domains. */
export type TimeColumnsOf<Columns extends Described> = Listed<{
  [C in keyof Columns & string]: BaseType<Columns[C]> extends infer Type
    ? Type extends `${string}[]`
      ? never
      : Type extends 'date' | 'timestamp' | 'timestamptz' | `timestamp ${string}` | `timestamp(${string}`
        ? C
        : never
    : never
}>

/** Names of the columns that the database computes. */
export type ComputedColumnsOf<Columns extends Described> = Listed<{
  [C in keyof Columns & string]: Columns[C] extends { readonly generated: true } ? C : never
}>

/** The union of a record's members, under no name: messages and declarations show the names, not how they came. */
type Listed<Names extends object> = Names[keyof Names] extends infer Name extends string ? Name : never

type BaseType<C extends ColumnDescription> = C extends { readonly base: infer Base extends string }
  ? Base
  : C['type']
