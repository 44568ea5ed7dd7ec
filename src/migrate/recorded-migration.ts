import type { Knex } from 'knex'

/** What a migration module exports. `knex` must be a transaction (knex and umzug give one). */
export interface Migration {
  readonly up: (knex: Knex) => Promise<void>
  readonly down: (knex: Knex) => Promise<void>
}

/**
 * Makes a migration record itself in `eventward.migrations`, in its own transaction, and do nothing where it's recorded
 * already. So whoever runs it, umzug or a project's knex, sees the same; the table that knex keeps is its own business.
 */
export function recordedMigration(name: string, steps: Migration): Migration {
  return {
    up: (knex) =>
      guarded(knex, async () => {
        if (await isRecorded(knex, name)) return
        await steps.up(knex)
        await knex.raw('insert into eventward.migrations (name) values (?::text)', [name])
      }),
    down: (knex) =>
      guarded(knex, async () => {
        if (!(await isRecorded(knex, name))) return
        // Before, since the first migration takes the table with it.
        await knex.raw('delete from eventward.migrations where name = ?::text', [name])
        await steps.down(knex)
      }),
  }
}

/** Names of recorded migrations and when, oldest first; none where nothing of ours is installed. Takes no lock. */
export async function recordedMigrations(
  knex: Knex,
): Promise<readonly { readonly name: string; readonly appliedAt: string }[]> {
  if (!(await hasRecords(knex))) return []
  const { rows } = (await knex.raw(
    `select name, pg_catalog.to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as applied_at
     from eventward.migrations
     order by name`,
  )) as { rows: readonly { name: string; applied_at: string }[] }
  return rows.map((row) => ({ name: row.name, appliedAt: row.applied_at }))
}

/**
 * One migration at a time, whoever runs it; names are found in pg_catalog only meanwhile, as the project's search_path
 * may hold a type or a function of the same name.
 */
async function guarded(knex: Knex, work: () => Promise<void>): Promise<void> {
  // A key of its own: eventward's runner holds another one, on another connection.
  await knex.raw('select pg_catalog.pg_advisory_xact_lock(?::integer, ?::integer)', [0x65776172, 1])
  const { rows } = (await knex.raw(`select pg_catalog.current_setting('search_path') as path`)) as {
    rows: readonly { path: string }[]
  }
  await setSearchPath(knex, 'pg_catalog, pg_temp')
  await work()
  // The project's other migrations may run in this very transaction.
  await setSearchPath(knex, rows[0]?.path ?? '')
}

async function setSearchPath(knex: Knex, path: string): Promise<void> {
  await knex.raw(`select pg_catalog.set_config('search_path', ?::text, true)`, [path])
}

async function isRecorded(knex: Knex, name: string): Promise<boolean> {
  return (await recordedMigrations(knex)).some((recorded) => recorded.name === name)
}

async function hasRecords(knex: Knex): Promise<boolean> {
  const { rows } = (await knex.raw(
    `select pg_catalog.to_regclass('eventward.migrations') is not null as there`,
  )) as { rows: readonly { there: unknown }[] }
  // Text under our own parsers, a boolean under knex's.
  return rows[0]?.there === true || rows[0]?.there === 't'
}
