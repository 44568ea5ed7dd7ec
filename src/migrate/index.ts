/**
 * The schema: runs migrations/ through umzug, under a lock, up and down; the same migrations for a project's own knex.
 * Must never know a definition or what is done with events.
 */

export { ARCHIVE_MARKER, DEFAULT_EVENTS, EVENTS_MARKER, type EventsTable } from './events-table.js'
export { installQueue, QUEUE_SCHEMA, quietLogger } from './install-queue.js'
export { type Installed, readEnvironment, readInstalled, readOwnTables } from './installed.js'
export {
  type MigrateOptions,
  type MigrateResult,
  type MigrationStatus,
  migrateDown,
  migrateStatus,
  migrateUp,
} from './migrate.js'
export { migrationSource } from './migration-source.js'
