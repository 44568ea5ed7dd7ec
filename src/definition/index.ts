/**
 * What a user says about a table, and the model that it becomes. Pure: knows no database, no clock, no process.
 */
export type {
  Aggregate,
  AggregateRow,
  AnyAggregate,
  EventData,
  EventInput,
  EventInputs,
  EventType,
  ResidueNames,
  WithBase,
} from './aggregate-types.js'
export type { ApplyInput, ApplyVersion } from './apply.js'
export type { BaseInput } from './base.js'
export { checkDefinition } from './check-definition.js'
export { checkConstant } from './column-values.js'
export { type AggregateInput, defineAggregate } from './define-aggregate.js'
export { defineTable } from './define-table.js'
export { type Lookup, lookup } from './lookup.js'
export * from './model.js'
export { nearestName } from './nearest-name.js'
export { type OccurredAt, occurredAt } from './occurred-at.js'
export { and, becameNotNull, becomes, changes, is, not, or, type When, was } from './predicates.js'
export type { Refused, RefusedValue } from './refused.js'
export type { StandardIssue, StandardResult, StandardSchemaV1 } from './standard-schema.js'
export { tableName } from './table-name.js'
export type { AnyTable, Integer, Numeric, Table, TableColumn, TableRow } from './table-types.js'
export type { UpcasterInput, UpcastFunction, UpcastInput, UpcastWords } from './upcast.js'
