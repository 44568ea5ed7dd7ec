/**
 * eventward: what an application's definitions and configuration import.
 */
export { defineConfig, type EventsTable, type EventwardConfig } from './config/index.js'
export {
  type Aggregate,
  type AggregateDefinition,
  type AggregateRow,
  type AnyAggregate,
  type AnyTable,
  and,
  becameNotNull,
  becomes,
  type Constant,
  changes,
  defineAggregate,
  defineTable,
  type EventData,
  type EventType,
  type Integer,
  is,
  type Lookup,
  lookup,
  type Numeric,
  not,
  type OccurredAt,
  occurredAt,
  or,
  type Predicate,
  type Refused,
  type RefusedValue,
  type StandardSchemaV1,
  type Table,
  type TableDescription,
  type TableRow,
  type When,
  was,
} from './definition/index.js'
export { DatabaseError, EventwardError, GateError, StoppedError, UsageError } from './errors/index.js'
