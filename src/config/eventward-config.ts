import type { AggregateDefinition } from '../definition/index.js'

/** Where events are stored. */
export interface EventsTable {
  readonly schema: string
  readonly table: string
}

/** What `eventward.config.ts` exports by default. */
export interface EventwardConfig {
  /** A PostgreSQL URL. `--url` beats it; without it or a knexfile, DATABASE_URL and PG* are used. */
  readonly connection?: string
  /** A Knex file to take the connection from, and its section: `./knexfile.ts#production`. @default NODE_ENV, else development */
  readonly knexfile?: string
  /** Schemas in which the legacy tables are. @default ['public'] */
  readonly schemas?: readonly string[]
  /** The table of events; many a legacy database has an `events` already. @default public.events */
  readonly events?: Partial<EventsTable>
  readonly aggregates: readonly AggregateDefinition[]
  /** How old the last clean verify may be where a cutover wants one: `30m`, `1h`. @default '1h' */
  readonly freshness?: `${number}${'s' | 'm' | 'h' | 'd'}`
  /** How long a writer may be kept waiting by a cutover, in ms. @default 400 */
  readonly lockTimeout?: number
  /** What is derived beyond the rows: made with `defineProjection`. */
  readonly projections?: readonly NamedProjection[]
  /** Who reacts to events: made with `defineDispatcher`. */
  readonly dispatcher?: NamedDispatcher
  /** What `eventward export` masks, by table and column: `{ users: { email: 'hash' } }`. */
  readonly masks?: Readonly<Record<string, Readonly<Record<string, ColumnMask>>>>
}

/** What stands in an export instead of a column's values. */
export type ColumnMask = 'null' | 'hash' | 'email' | `fixed:${string}`

/** What a configuration knows of a dispatcher. */
export interface NamedDispatcher {
  readonly kind: 'dispatcher'
}

/** What a configuration knows of a projection. */
export interface NamedProjection {
  readonly kind: 'projection'
  readonly name: string
}

/** A configuration as it was loaded: checked, defaults filled in. */
export interface LoadedConfig {
  /** The file, absolute. */
  readonly path: string
  readonly connection: string | null
  readonly knexfile: string | null
  readonly schemas: readonly string[]
  readonly events: EventsTable
  readonly aggregates: readonly AggregateDefinition[]
  readonly freshnessSeconds: number
  readonly lockTimeoutMs: number
  readonly dispatcher?: NamedDispatcher | null
  readonly projections?: readonly NamedProjection[]
  readonly masks?: NonNullable<EventwardConfig['masks']>
}

/**
 * Types a configuration; gives it back as it is.
 *
 * @example export default defineConfig({ aggregates: [Subscription] })
 */
export function defineConfig(config: EventwardConfig): EventwardConfig {
  return config
}
