import * as events from '../../migrations/001_events.js'
import * as definitions from '../../migrations/002_definitions.js'
import * as runs from '../../migrations/003_runs.js'
import * as fold from '../../migrations/004_fold.js'
import * as capture from '../../migrations/005_capture.js'
import * as cutover from '../../migrations/006_cutover.js'
import * as adopt from '../../migrations/007_adopt.js'
import * as commands from '../../migrations/008_commands.js'
import * as reactors from '../../migrations/009_reactors.js'
import * as projections from '../../migrations/010_projections.js'
import * as timeMachine from '../../migrations/011_time_machine.js'
import type { Migration } from './recorded-migration.js'

/** All migrations in their order, by the name under which `eventward.migrations` knows them. */
export const MIGRATIONS: readonly (Migration & { readonly name: string })[] = [
  { name: '001_events', ...events },
  { name: '002_definitions', ...definitions },
  { name: '003_runs', ...runs },
  { name: '004_fold', ...fold },
  { name: '005_capture', ...capture },
  { name: '006_cutover', ...cutover },
  { name: '007_adopt', ...adopt },
  { name: '008_commands', ...commands },
  { name: '009_reactors', ...reactors },
  { name: '010_projections', ...projections },
  { name: '011_time_machine', ...timeMachine },
]

/**
 * eventward's migrations for a project's own knex.
 *
 * @example
 * import { migrationSource } from 'eventward/migrations'
 * await knex.migrate.latest({ migrationSource, tableName: 'eventward_knex_migrations' })
 */
export const migrationSource = {
  getMigrations: async (): Promise<string[]> => MIGRATIONS.map(({ name }) => name),
  /** With `.js`, as the files in dist/migrations: a project may change between the source and the directory. */
  getMigrationName: (name: string): string => `${name}.js`,
  getMigration: async (name: string): Promise<Pick<Migration, 'up' | 'down'>> => {
    const { up, down } = MIGRATIONS.find((migration) => migration.name === name)!
    return { up, down }
  },
}
