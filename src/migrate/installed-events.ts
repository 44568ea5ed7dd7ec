import type { Knex } from 'knex'
import type { EventsTable } from './events-table.js'

/** Which events table is installed in this database, or null where none is. Takes no lock. */
export async function installedEvents(knex: Knex): Promise<EventsTable | null> {
  const there = (await knex.raw(`select pg_catalog.to_regclass('eventward.settings')::text as name`)) as {
    rows: readonly { name: string | null }[]
  }
  if (there.rows[0]?.name == null) return null
  const { rows } = (await knex.raw(
    `select key, value from eventward.settings where key in ('events_schema', 'events_table')`,
  )) as { rows: readonly { key: string; value: string }[] }
  const schema = rows.find((row) => row.key === 'events_schema')?.value
  const table = rows.find((row) => row.key === 'events_table')?.value
  return schema === undefined || table === undefined ? null : { schema, table }
}
