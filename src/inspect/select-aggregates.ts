import type { LoadedConfig } from '../config/index.js'
import { type AggregateDefinition, nearestName, tableName } from '../definition/index.js'
import { UsageError } from '../errors/index.js'

/**
 * The aggregates whose tables are named: `orders`, `app.orders`, `public.orders`; all of them where no name is given.
 * In the order of the configuration. Pure.
 *
 * @throws UsageError EW_TABLE_UNKNOWN, EW_CONFIG_EMPTY
 */
export function selectAggregates(
  config: Pick<LoadedConfig, 'aggregates'>,
  names: readonly string[] = [],
): readonly AggregateDefinition[] {
  if (config.aggregates.length === 0) {
    throw new UsageError('EW_CONFIG_EMPTY', 'the configuration has no aggregates', {
      next: 'Define one with defineAggregate, or let `eventward init` infer them.',
    })
  }
  if (names.length === 0) return config.aggregates
  const wanted = new Set(names.map((name) => named(config.aggregates, name)))
  return config.aggregates.filter((aggregate) => wanted.has(aggregate))
}

/**
 * The aggregate of this name, such as `Subscription`.
 *
 * @throws UsageError EW_AGGREGATE_UNKNOWN
 */
export function aggregateNamed(config: Pick<LoadedConfig, 'aggregates'>, name: string): AggregateDefinition {
  const found = config.aggregates.find((aggregate) => aggregate.name === name)
  if (found !== undefined) return found
  const names = config.aggregates.map((aggregate) => aggregate.name)
  const ofTable = config.aggregates.find(({ table }) => tableName(table) === name)
  const hint =
    ofTable === undefined ? nearestName(name, names) : `The aggregate of ${name} is ${ofTable.name}. `
  throw new UsageError('EW_AGGREGATE_UNKNOWN', `the configuration has no aggregate ${JSON.stringify(name)}`, {
    next: `${hint}It has ${names.join(', ')}.`,
    details: { aggregate: name },
  })
}

function named(aggregates: readonly AggregateDefinition[], name: string): AggregateDefinition {
  const found = aggregates.find(
    ({ table }) => tableName(table) === name || `${table.schema}.${table.name}` === name,
  )
  if (found !== undefined) return found
  const hint = nearestName(
    name,
    aggregates.map(({ table }) => tableName(table)),
  )
  throw new UsageError(
    'EW_TABLE_UNKNOWN',
    `the configuration has no aggregate for a table ${JSON.stringify(name)}`,
    {
      next: `${hint}Run \`eventward plan\` to see the tables that there are.`,
      details: { table: name },
    },
  )
}
