import { literal, type Query, raw, sql } from '../sql/index.js'

/** Aggregate and type of an event. */
export type EventName = readonly [aggregate: string, type: string]

/** SQL of whether an event `e` is of one of these names. */
export function isOneOf(names: readonly EventName[]): Query {
  if (names.length === 0) return sql`false`
  const aggregates = new Set(names.map(([aggregate]) => literal(aggregate)))
  const pairs = new Set(names.map(([aggregate, type]) => `(${literal(aggregate)}, ${literal(type)})`))
  // The list of aggregates alone lets the server leave out the partitions of others.
  return sql`e.aggregate_type in (${raw([...aggregates].join(', '))})
      and (e.aggregate_type, e.type) in (${raw([...pairs].join(', '))})`
}
