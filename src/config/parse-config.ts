import { type AggregateDefinition, nearestName, tableName } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import type {
  EventsTable,
  EventwardConfig,
  LoadedConfig,
  NamedDispatcher,
  NamedProjection,
} from './eventward-config.js'

/**
 * Checks what a configuration exports and fills in defaults. Pure.
 *
 * @param path the file; `shown` is how messages call it.
 * @throws UsageError EW_CONFIG_INVALID
 */
export function parseConfig(exported: unknown, path: string, shown: string): LoadedConfig {
  const refuse = (what: string, next: string): never => {
    throw new UsageError('EW_CONFIG_INVALID', `${shown}: ${what}`, { next, details: { file: path } })
  }
  if (!isObject(exported) || exported['aggregates'] === undefined) {
    return refuse('exports no configuration', 'Write `export default defineConfig({ aggregates: [...] })`.')
  }
  checkProperties(exported, PROPERTIES, refuse)
  const config = exported as Partial<Record<keyof EventwardConfig, unknown>>
  const connection = optionalText(config.connection, 'connection', refuse)
  const knexfile = optionalText(config.knexfile, 'knexfile', refuse)
  if (connection !== null && knexfile !== null) {
    refuse('has both a connection and a knexfile', 'Keep one of them.')
  }
  return {
    path,
    connection,
    knexfile,
    schemas: schemasOf(config.schemas, refuse),
    events: eventsOf(config.events, refuse),
    aggregates: aggregatesOf(config.aggregates, refuse),
    freshnessSeconds: freshnessOf(config.freshness, refuse),
    lockTimeoutMs: lockTimeoutOf(config.lockTimeout, refuse),
    projections: projectionsOf(config.projections, refuse),
    dispatcher: dispatcherOf(config.dispatcher, refuse),
    masks: masksOf(config.masks, aggregatesOf(config.aggregates, refuse), refuse),
  }
}

type Refuse = (what: string, next: string) => never

const PROPERTIES = [
  'connection',
  'knexfile',
  'schemas',
  'events',
  'aggregates',
  'freshness',
  'lockTimeout',
  'projections',
  'dispatcher',
  'masks',
] as const satisfies readonly (keyof EventwardConfig)[]

function checkProperties(object: object, known: readonly string[], refuse: Refuse): void {
  const unknown = Object.keys(object).find((name) => !known.includes(name))
  if (unknown === undefined) return
  refuse(
    `unknown property ${JSON.stringify(unknown)}`,
    `${nearestName(unknown, known)}Known are ${known.join(', ')}.`,
  )
}

function optionalText(value: unknown, name: string, refuse: Refuse): string | null {
  if (value === undefined) return null
  return isName(value) ? value : refuse(`${name} is no text`, `Give ${name} as a string, or leave it out.`)
}

function schemasOf(value: unknown, refuse: Refuse): readonly string[] {
  if (value === undefined) return ['public']
  if (Array.isArray(value) && value.length > 0 && value.every(isName)) return value
  return refuse('schemas is no list of names', "Write schemas: ['public'].")
}

function eventsOf(value: unknown, refuse: Refuse): EventsTable {
  const { schema = 'public', table = 'events' } = isObject(value) ? value : {}
  if ((value === undefined || isObject(value)) && isName(schema) && isName(table)) {
    checkProperties(value ?? {}, ['schema', 'table'], refuse)
    return { schema, table }
  }
  return refuse('events names no table', "Write events: { schema: 'public', table: 'events' }.")
}

function aggregatesOf(value: unknown, refuse: Refuse): readonly AggregateDefinition[] {
  if (!Array.isArray(value)) return refuse('aggregates is no list', 'Write aggregates: [Subscription].')
  const aggregates = value.map((aggregate: unknown, index) =>
    isDefinition(aggregate)
      ? aggregate
      : refuse(`aggregates[${index}] is no aggregate`, 'Make it with defineAggregate.'),
  )
  const name = firstTwice(aggregates.map((aggregate) => aggregate.name))
  if (name !== undefined) refuse(`two aggregates are called ${name}`, 'Rename one of them.')
  const table = firstTwice(aggregates.map((aggregate) => `${aggregate.table.schema}.${aggregate.table.name}`))
  if (table !== undefined) refuse(`two aggregates have the table ${table}`, 'A table moves as one aggregate.')
  return aggregates
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const

function freshnessOf(value: unknown, refuse: Refuse): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(value === undefined ? '1h' : String(value)) ?? []
  if (count === undefined) return refuse('freshness is no duration', "Write it as '30m', '1h' or '1d'.")
  return Number(count) * SECONDS[unit as keyof typeof SECONDS]
}

function lockTimeoutOf(value: unknown, refuse: Refuse): number {
  if (value === undefined) return 400
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value
  return refuse('lockTimeout is no number of milliseconds', 'Write a whole number above 0, such as 400.')
}

function projectionsOf(value: unknown, refuse: Refuse): readonly NamedProjection[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) return refuse('projections is no list', 'Write projections: [PerReward].')
  const projections = value.map((projection: unknown, index) =>
    isObject(projection) && projection['kind'] === 'projection' && isName(projection['name'])
      ? (projection as unknown as NamedProjection)
      : refuse(`projections[${index}] is no projection`, 'Make it with defineProjection.'),
  )
  const name = firstTwice(projections.map((projection) => projection.name))
  if (name !== undefined) refuse(`two projections are called ${name}`, 'Rename one of them.')
  return projections
}

/** A table that isn't there would be taken for one that is masked. */
function masksOf(
  value: unknown,
  aggregates: readonly AggregateDefinition[],
  refuse: Refuse,
): NonNullable<EventwardConfig['masks']> {
  if (value === undefined) return {}
  const example = "Write masks: { users: { email: 'hash' } }: null, hash, email, or fixed:TEXT."
  if (!isObject(value)) return refuse('masks names no columns', example)
  const tables = aggregates.flatMap(({ table }) => [tableName(table), `${table.schema}.${table.name}`])
  for (const [table, columns] of Object.entries(value)) {
    if (!tables.includes(table))
      refuse(`masks of a table ${table} that no aggregate has`, `${nearestName(table, tables)}${example}`)
    if (!isObject(columns)) return refuse(`masks.${table} names no columns`, example)
    const wrong = Object.entries(columns).find(
      ([, mask]) => !/^(null|hash|email|fixed:.*)$/s.test(String(mask)),
    )
    if (wrong !== undefined) refuse(`masks.${table}.${wrong[0]} is no mask`, example)
  }
  return value as NonNullable<EventwardConfig['masks']>
}

/** Structural, so that a definition made by another copy of the package is taken as well. */
function isDefinition(value: unknown): value is AggregateDefinition {
  if (!isObject(value)) return false
  const { name, table, events } = value
  return isName(name) && isObject(table) && isName(table['name']) && Array.isArray(events)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function firstTwice(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index)
}

function dispatcherOf(value: unknown, refuse: Refuse): NamedDispatcher | null {
  if (value === undefined || value === null) return null
  // What this room knows of one is its kind, which was looked at.
  if (isObject(value) && value['kind'] === 'dispatcher') return value as unknown as NamedDispatcher
  return refuse('dispatcher is none', 'Make it with defineDispatcher.')
}
