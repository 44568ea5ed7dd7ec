import type { Session } from '../db/index.js'
import { sql } from '../sql/index.js'
import { ARCHIVE_MARKER, EVENTS_MARKER, type EventsTable } from './events-table.js'

/** What eventward has put into a database. */
export interface Installed {
  /** Where events are kept; null where nothing is installed, or this role may not see it. */
  readonly events: EventsTable | null
  /** The label that the database bears: `production`. */
  readonly environment: string | null
}

/** Says what is installed. Asks the catalog first: a role without rights on our schema gets an answer, not an error. */
export async function readInstalled(session: Session): Promise<Installed> {
  const { readable } = await session.one<{ readable: string }>(sql`
    select exists (
      select
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'eventward'
        and c.relname = 'settings'
        and has_schema_privilege(n.oid, 'usage')
        and has_table_privilege(c.oid, 'select')
    ) as readable`)
  if (readable !== 't') return { events: null, environment: null }
  const rows = await session.rows<{ key: string; value: string }>(sql`
    select key, value
    from eventward.settings
    where key in ('events_schema', 'events_table', 'environment')`)
  const settings = new Map(rows.map(({ key, value }) => [key, value]))
  const schema = settings.get('events_schema')
  const table = settings.get('events_table')
  return {
    events: schema === undefined || table === undefined ? null : { schema, table },
    environment: settings.get('environment') ?? null,
  }
}

/** The label that the database bears, or null. */
export async function readEnvironment(session: Session): Promise<string | null> {
  return (await readInstalled(session)).environment
}

/** OIDs of the tables that are ours and stand beside the application's: the events table, and archives of it. */
export async function readOwnTables(session: Session): Promise<ReadonlySet<string>> {
  const rows = await session.rows<{ oid: string }>(sql`
    select c.oid::text as oid
    from pg_class c
    where c.relkind in ('r', 'p')
      and obj_description(c.oid, 'pg_class') in (${EVENTS_MARKER}::text, ${ARCHIVE_MARKER}::text)`)
  return new Set(rows.map(({ oid }) => oid))
}
