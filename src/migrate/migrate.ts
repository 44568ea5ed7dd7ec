import createKnex, { type Knex } from 'knex'
import { MigrationError, Umzug } from 'umzug'
import { connect, databaseError, pinSettings, type Target } from '../db/index.js'
import { UsageError } from '../errors/index.js'
import { type EventsTable, withEventsTable } from './events-table.js'
import { installQueue } from './install-queue.js'
import { installedEvents } from './installed-events.js'
import { type LockOptions, withMigrationLock } from './migration-lock.js'
import { MIGRATIONS } from './migration-source.js'
import { recordedMigrations } from './recorded-migration.js'
import { refuseKeptEvents } from './refuse-kept-events.js'

export interface MigrateOptions extends LockOptions {
  readonly events: EventsTable
}

/** What a run of migrations did. */
export interface MigrateResult {
  readonly direction: 'up' | 'down'
  /** Names of what was applied or taken back, in the order of doing. */
  readonly migrations: readonly string[]
  /** Names of all that is applied now. */
  readonly applied: readonly string[]
}

export interface MigrationStatus {
  readonly migrations: readonly { readonly name: string; readonly appliedAt: string | null }[]
  /** The events table of this database, or null where nothing is installed. */
  readonly events: EventsTable | null
  /** Applied by a newer version of eventward, unknown to this one. */
  readonly unknown: readonly string[]
}

/**
 * Applies what is missing, each migration in its own transaction, one process at a time.
 *
 * @throws UsageError EW_EVENTS_FOREIGN, EW_EVENTS_SCHEMA, EW_SCHEMA_FOREIGN, EW_EVENTS_MOVED, EW_MIGRATIONS_NEWER
 * (nothing was changed); GateError EW_MIGRATE_BUSY; DatabaseError.
 */
export function migrateUp(options: MigrateOptions): Promise<MigrateResult> {
  return run(options, 'up', async (umzug) => umzug.up())
}

/**
 * Takes the last migration back, or with `to: 0` all of them. Where events are stored the server refuses (DatabaseError,
 * `details.sqlstate` EW002) before anything is removed.
 */
export function migrateDown(options: MigrateOptions & { readonly to?: 0 }): Promise<MigrateResult> {
  return run(options, 'down', async (umzug, knex) => {
    if (options.to !== 0) return umzug.down()
    // Before the first of several transactions: the last of them would refuse when the others are done.
    await inTransaction(knex, refuseKeptEvents)
    return umzug.down({ to: 0 })
  })
}

/** Says what is applied. Takes no lock, changes nothing. */
export async function migrateStatus(options: MigrateOptions): Promise<MigrationStatus> {
  return withKnex(options, async (knex) => {
    const recorded = await recordedMigrations(knex)
    const appliedAt = new Map(recorded.map((one) => [one.name, one.appliedAt]))
    return {
      migrations: MIGRATIONS.map(({ name }) => ({ name, appliedAt: appliedAt.get(name) ?? null })),
      events: await installedEvents(knex),
      unknown: unknownOf(recorded),
    }
  })
}

type Runner = Umzug<object>

function run(
  options: MigrateOptions,
  direction: 'up' | 'down',
  go: (umzug: Runner, knex: Knex) => Promise<readonly { readonly name: string }[]>,
): Promise<MigrateResult> {
  return withMigrationLock(options, () =>
    withKnex(options, async (knex) => {
      await refuseMismatch(knex, options.events)
      const done = await go(umzugOf(knex), knex)
      if (direction === 'up') await installQueue(options.url)
      const applied = await recordedMigrations(knex)
      return { direction, migrations: done.map(({ name }) => name), applied: applied.map(({ name }) => name) }
    }),
  )
}

/** Each migration records itself, in its own transaction: umzug only reads what is recorded. */
function umzugOf(knex: Knex): Runner {
  return new Umzug({
    logger: undefined,
    storage: {
      executed: async () => (await recordedMigrations(knex)).map(({ name }) => name),
      logMigration: async () => undefined,
      unlogMigration: async () => undefined,
    },
    migrations: MIGRATIONS.map(({ name, up, down }) => ({
      name,
      up: () => inTransaction(knex, up),
      down: () => inTransaction(knex, down),
    })),
  })
}

function inTransaction(knex: Knex, step: (knex: Knex) => Promise<void>): Promise<void> {
  return knex.transaction(async (transaction) => {
    // A lock that isn't had soon would make the application's writers queue behind us.
    await transaction.raw(`set local lock_timeout = '5s'`)
    await step(transaction)
  })
}

async function refuseMismatch(knex: Knex, events: EventsTable): Promise<void> {
  const unknown = unknownOf(await recordedMigrations(knex))
  if (unknown.length > 0) {
    throw new UsageError(
      'EW_MIGRATIONS_NEWER',
      `this database has migrations that this version does not know: ${unknown.join(', ')}`,
      { next: 'Use the version of eventward that applied them, or a newer one.', details: { unknown } },
    )
  }
  const installed = await installedEvents(knex)
  if (installed !== null && (installed.schema !== events.schema || installed.table !== events.table)) {
    throw new UsageError(
      'EW_EVENTS_MOVED',
      `events are kept in ${installed.schema}.${installed.table}, the configuration says ${events.schema}.${events.table}`,
      {
        next: 'Correct events: { schema, table } in eventward.config.ts.',
        details: { installed, configured: events },
      },
    )
  }
}

function unknownOf(recorded: readonly { readonly name: string }[]): readonly string[] {
  const known = new Set(MIGRATIONS.map(({ name }) => name))
  return recorded.map(({ name }) => name).filter((name) => !known.has(name))
}

async function withKnex<T>(options: MigrateOptions, work: (knex: Knex) => Promise<T>): Promise<T> {
  const target = await targetOf(options.url)
  const knex = createKnex({
    client: 'pg',
    // Without a URL the driver reads PG*.
    connection: options.url === undefined ? {} : { connectionString: options.url },
    pool: {
      min: 0,
      max: 1,
      afterCreate: (
        connection: { query: (text: string, done: (error: unknown) => void) => void },
        done: (error: unknown, connection: unknown) => void,
      ) => {
        connection.query(pinSettings('eventward migrate').text, (error) => done(error, connection))
      },
    },
  })
  try {
    return await work(knex.withUserParams(withEventsTable(options.events)))
  } catch (error) {
    throw databaseError(error instanceof MigrationError ? error.cause : error, target)
  } finally {
    await knex.destroy()
  }
}

/** Connects once: a server that can't be reached is named by the room that knows how. */
async function targetOf(url: string | undefined): Promise<Target> {
  const database = await connect({ ...(url === undefined ? {} : { url }), max: 1 })
  await database.close()
  return database.target
}
