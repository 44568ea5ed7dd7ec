import { type CatalogTable, readTables } from '../catalog/index.js'
import type { Database, Session } from '../db/index.js'
import { nearestName, tableName } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { DEFAULT_EVENTS, type EventsTable, readInstalled, readOwnTables } from '../migrate/index.js'
import { sql } from '../sql/index.js'
import { type InferredTable, inferDefinitions } from './infer-definitions.js'
import { type WrittenFile, writeConfig } from './write-config.js'

export interface InitialiseOptions {
  /** The folder to write to. */
  readonly cwd: string
  /** @default ['public'] */
  readonly schemas?: readonly string[]
  /** Only these tables, as the command line names them. */
  readonly tables?: readonly string[]
  /** Overwrite files that hold something else. @default false */
  readonly overwrite?: boolean
}

export interface Initialised {
  readonly tables: readonly InferredTable[]
  readonly files: readonly WrittenFile[]
}

/**
 * What `eventward init` does: reads the catalog and the statuses present, infers, and writes the two files. Reads the
 * database only. Our own tables, and partitions (they move with their parent), are left aside.
 *
 * @throws UsageError EW_TABLE_UNKNOWN, EW_TABLES_NONE
 */
export async function initialise(database: Database, options: InitialiseOptions): Promise<Initialised> {
  const { cwd, schemas = ['public'], overwrite = false } = options
  const { inferred, events } = await database.session(async (session) => {
    const all = await movableTables(session, schemas)
    return {
      inferred: await inferDefinitions(session, chosen(all, options.tables, schemas)),
      events: await eventsTable(session),
    }
  })
  return { tables: inferred.tables, files: await writeConfig(inferred, { cwd, schemas, overwrite, events }) }
}

/** Where events are kept already; else, where `events` is someone else's, a name that is free. Null for the usual one. */
async function eventsTable(session: Session): Promise<EventsTable | null> {
  const { events } = await readInstalled(session)
  const { schema, table } = DEFAULT_EVENTS
  if (events !== null) return events.schema === schema && events.table === table ? null : events
  const { taken } = await session.one<{ taken: string }>(sql`
    select coalesce(array_agg(c.relname::text), '{}')::text as taken
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${schema}::text
      and c.relname = any (${EVENTS_NAMES}::text[])`)
  const free = EVENTS_NAMES.find((name) => !taken.slice(1, -1).split(',').includes(name))
  return free === undefined || free === table ? null : { schema, table: free }
}

const EVENTS_NAMES = [DEFAULT_EVENTS.table, 'eventward_events', 'stream_events']

async function movableTables(session: Session, schemas: readonly string[]): Promise<readonly CatalogTable[]> {
  const ours = await readOwnTables(session)
  const all = await readTables(session, schemas)
  return all.filter(({ oid, kind }) => kind !== 'partition' && !ours.has(oid))
}

function chosen(
  all: readonly CatalogTable[],
  names: readonly string[] | undefined,
  schemas: readonly string[],
): readonly CatalogTable[] {
  if (all.length === 0) {
    throw new UsageError('EW_TABLES_NONE', `there is no table in ${schemas.join(', ')}`, {
      next: 'Name the schemas with --schema, and check the database that you are connected to.',
      details: { schemas },
    })
  }
  if (names === undefined) return all
  const unknown = names.find((name) => !all.some((table) => isNamed(table, name)))
  if (unknown !== undefined) {
    throw new UsageError('EW_TABLE_UNKNOWN', `there is no table ${JSON.stringify(unknown)}`, {
      next: `${nearestName(unknown, all.map(tableName))}Name tables outside of public with their schema, and give it with --schema.`,
      details: { table: unknown },
    })
  }
  return all.filter((table) => names.some((name) => isNamed(table, name)))
}

function isNamed(table: CatalogTable, name: string): boolean {
  return tableName(table) === name || `${table.schema}.${table.name}` === name
}
