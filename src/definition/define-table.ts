import type { ColumnDescription } from './model.js'
import type { ComputedColumnsOf, Table, TimeColumnsOf } from './table-types.js'

/**
 * Describes a table to definitions. `eventward init` and `eventward generate` write these calls from the catalog; a
 * row interface of its own for each table keeps what the compiler infers from it small.
 *
 * @example
 * export interface RewardsRow { id: Integer; title: string; retired_at: string | null }
 * export const rewards = defineTable<RewardsRow>()({
 *   schema: 'public',
 *   name: 'rewards',
 *   key: ['id'],
 *   columns: {
 *     id: { type: 'bigint', nullable: false },
 *     title: { type: 'text', nullable: false },
 *     retired_at: { type: 'timestamp with time zone', nullable: true },
 *   },
 * })
 */
export function defineTable<Row extends object>() {
  return <
    const Key extends keyof Row & string,
    const Columns extends { readonly [C in keyof Row & string]: ColumnDescription },
  >(table: {
    readonly schema: string
    readonly name: string
    readonly key: readonly Key[]
    readonly columns: Columns
  }): Table<Row, Key, TimeColumnsOf<Columns>, ComputedColumnsOf<Columns>> =>
    Object.freeze({
      schema: table.schema,
      name: table.name,
      key: Object.freeze([...table.key]),
      columns: frozenColumns(table.columns),
    })
}

function frozenColumns(columns: Readonly<Record<string, ColumnDescription>>) {
  // fromEntries defines members, so that a column called __proto__ is one as well.
  return Object.freeze(
    Object.fromEntries(
      Object.entries(columns).map(([name, column]) => [
        name,
        Object.freeze(
          column.values === undefined
            ? { ...column }
            : { ...column, values: Object.freeze([...column.values]) },
        ),
      ]),
    ),
  )
}
