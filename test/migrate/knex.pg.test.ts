import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import createKnex, { type Knex } from 'knex'
import { afterEach, describe, expect, it } from 'vitest'
import { migrateDown, migrateStatus, migrateUp, migrationSource } from '../../src/migrate/index.js'
import { testDatabase } from '../support/database.js'
import { runTsx } from '../support/run-script.js'

const DIRECTORY = fileURLToPath(new URL('../../migrations', import.meta.url))
const EVENTS = { schema: 'public', table: 'events' }
const FILES = await migrationSource.getMigrations()

describe("a project's own knex migrate", () => {
  const db = testDatabase({ migrated: false })
  const options = () => ({ url: db.url, events: EVENTS })
  const open: Knex[] = []
  const knexWith = (migrations: Knex.MigratorConfig): Knex => {
    const log = { warn: () => undefined, error: () => undefined }
    const knex = createKnex({ client: 'pg', connection: db.url, migrations, log, pool: { min: 0, max: 2 } })
    open.push(knex)
    return knex
  }
  afterEach(async () => {
    await Promise.all(open.splice(0).map((knex) => knex.destroy()))
    await db.admin.query(
      `drop schema if exists eventward cascade;
       drop table if exists public.events, public.facts, public.knex_migrations, public.knex_migrations_lock, public.own cascade`,
    )
  })

  it('runs them by the migration source, and eventward finds nothing to do', async () => {
    const knex = knexWith({ migrationSource })
    const [, ran] = (await knex.migrate.latest()) as [number, string[]]
    expect(ran).toEqual(FILES.map((name) => `${name}.js`))
    expect((await migrateUp(options())).migrations).toEqual([])
    await knex.migrate.rollback()
    expect((await migrateStatus(options())).events).toBeNull()
    expect((await migrateUp(options())).migrations).toEqual(FILES)
  })

  it('runs them by the directory, and eventward finds nothing to do', async () => {
    expect(await runTsx('knex-process.ts', db.url, 'latest', DIRECTORY)).toEqual(
      FILES.map((name) => `${name}.ts`),
    )
    expect((await migrateUp(options())).migrations).toEqual([])
    await runTsx('knex-process.ts', db.url, 'rollback', DIRECTORY)
    expect((await migrateStatus(options())).events).toBeNull()
  })

  it('finds nothing to do after eventward, and takes it back', async () => {
    await migrateUp(options())
    const knex = knexWith({ migrationSource })
    await knex.migrate.latest()
    expect((await migrateStatus(options())).migrations.every((one) => one.appliedAt !== null)).toBe(true)
    await knex.migrate.rollback()
    expect((await migrateStatus(options())).events).toBeNull()
    expect((await migrateDown(options())).migrations).toEqual([])
  })

  it('keeps the search_path of its own migrations, which run in the same transaction', async () => {
    const own = await mkdtemp(join(tmpdir(), 'eventward-knex-'))
    try {
      await writeFile(
        join(own, '900_own.cjs'),
        `exports.up = (knex) => knex.schema.createTable('own', (t) => t.integer('n'))
         exports.down = (knex) => knex.schema.dropTable('own')`,
      )
      await runTsx('knex-process.ts', db.url, 'latest', DIRECTORY, own)
      expect((await db.admin.query(`select to_regclass('public.own') is not null as there`)).rows).toEqual([
        { there: 't' },
      ])
    } finally {
      await rm(own, { recursive: true })
    }
  })

  it('takes the name of the events table from userParams', async () => {
    const knex = knexWith({ migrationSource }).withUserParams({
      eventward: { events: { schema: 'public', table: 'facts' } },
    })
    await knex.migrate.latest()
    expect((await migrateStatus(options())).events).toEqual({ schema: 'public', table: 'facts' })
    const wrong = knexWith({ migrationSource }).withUserParams({ eventward: { events: 'facts' } })
    await knex.migrate.rollback()
    await expect(wrong.migrate.latest()).rejects.toMatchObject({ code: 'EW_EVENTS_NAME' })
  })

  it('beside eventward’s at the same moment ends well', async () => {
    const knex = knexWith({ migrationSource })
    await Promise.all([knex.migrate.latest(), migrateUp(options())])
    expect((await migrateStatus(options())).migrations.every((one) => one.appliedAt !== null)).toBe(true)
  })
})
