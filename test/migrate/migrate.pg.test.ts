import type pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { sqlstateOf } from '../../src/db/index.js'
import { migrateDown, migrateStatus, migrateUp, migrationSource } from '../../src/migrate/index.js'
import { ident, qualified } from '../../src/sql/index.js'
import { testDatabase } from '../support/database.js'
import { waitUntilBlocked } from '../support/race.js'
import { runScript } from '../support/run-script.js'

const NAMES = await migrationSource.getMigrations()
const EVENTS = { schema: 'public', table: 'events' }

describe('migrate', () => {
  const db = testDatabase({ migrated: false })
  const options = () => ({ url: db.url, events: EVENTS })
  afterEach(async () => {
    await db.admin.query(
      'drop schema if exists eventward cascade; drop table if exists public.events cascade',
    )
  })

  it('goes up, down and up again, and leaves nothing behind below', async () => {
    const empty = await schemaOf(db.admin)
    expect(await migrateUp(options())).toEqual({ direction: 'up', migrations: NAMES, applied: NAMES })
    const full = await schemaOf(db.admin)
    expect(await migrateUp(options())).toEqual({ direction: 'up', migrations: [], applied: NAMES })
    expect(await migrateDown({ ...options(), to: 0 })).toEqual({
      direction: 'down',
      migrations: NAMES.toReversed(),
      applied: [],
    })
    expect(await schemaOf(db.admin)).toEqual(empty)
    await migrateUp(options())
    expect(await schemaOf(db.admin)).toEqual(full)
  })

  it('goes down one step at a time', async () => {
    await migrateUp(options())
    expect((await migrateDown(options())).migrations).toEqual(NAMES.slice(-1))
    expect((await migrateStatus(options())).migrations.map((one) => one.appliedAt !== null)).toEqual(
      NAMES.map((name) => name !== NAMES.at(-1)),
    )
    expect((await migrateUp(options())).migrations).toEqual(NAMES.slice(-1))
  })

  it('tells its status before anything is installed, and changes nothing by it', async () => {
    const before = await schemaOf(db.admin)
    expect(await migrateStatus(options())).toEqual({
      migrations: NAMES.map((name) => ({ name, appliedAt: null })),
      events: null,
      unknown: [],
    })
    expect(await schemaOf(db.admin)).toEqual(before)
    await migrateUp(options())
    const status = await migrateStatus(options())
    expect(status.events).toEqual(EVENTS)
    expect(status.migrations[0]?.appliedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  })

  it('refuses to drop events that are stored, before it has removed anything', async () => {
    await migrateUp(options())
    await db.admin.query(`select eventward.create_partition('A', 'events_a')`)
    await insertEvent(db.admin, 'public.events')
    const full = await schemaOf(db.admin)
    const error = await failure(migrateDown({ ...options(), to: 0 }))
    expect(error).toMatchObject({ code: 'EW_DB_FAILED', details: { sqlstate: 'EW002' } })
    expect(error.message).toContain('still holds events')
    expect(error.next).toContain('Export')
    expect(await schemaOf(db.admin)).toEqual(full)
  })

  it.each([
    ['detached', 'alter table public.events detach partition public.events_a'],
    [
      'renamed',
      'alter table public.events detach partition public.events_a; alter table public.events_a rename to kept',
    ],
  ])(
    'refuses while events are kept in a partition that was %s; goes down once it is dropped',
    async (_, move) => {
      await migrateUp(options())
      await db.admin.query(`select eventward.create_partition('A', 'events_a')`)
      await insertEvent(db.admin, 'public.events')
      await db.admin.query(move)
      const kept = move.includes('rename') ? 'public.kept' : 'public.events_a'
      const full = await schemaOf(db.admin)
      try {
        const error = await failure(migrateDown({ ...options(), to: 0 }))
        expect(error).toMatchObject({ code: 'EW_DB_FAILED', details: { sqlstate: 'EW002' } })
        expect(error.message).toContain(kept)
        expect(error.next).not.toMatch(/cascade/i)
        expect(await schemaOf(db.admin)).toEqual(full)
      } finally {
        await db.admin.query(`drop table ${kept}`)
      }
      expect((await migrateDown({ ...options(), to: 0 })).applied).toEqual([])
    },
  )

  it('refuses an events table that is someone else’s, and changes nothing', async () => {
    await db.admin.query('create table public.events (id integer primary key, title text)')
    const before = await schemaOf(db.admin)
    const error = await failure(migrateUp(options()))
    expect(error).toMatchObject({ code: 'EW_EVENTS_FOREIGN', exitStatus: 2 })
    expect(error.message).toContain('public.events')
    expect(error.next).toContain('events: { schema, table }')
    expect(await schemaOf(db.admin)).toEqual(before)
    // The next step that the error names works.
    expect((await migrateUp({ url: db.url, events: { schema: 'public', table: 'facts' } })).applied).toEqual(
      NAMES,
    )
    await db.admin.query('drop table public.facts')
  })

  it('refuses a schema eventward that is someone else’s, and a schema that is not there', async () => {
    await db.admin.query('create schema eventward create table eventward.own (n integer)')
    expect(await failure(migrateUp(options()))).toMatchObject({ code: 'EW_SCHEMA_FOREIGN' })
    await db.admin.query('drop schema eventward cascade')
    const nowhere = { url: db.url, events: { schema: 'nowhere', table: 'events' } }
    expect(await failure(migrateUp(nowhere))).toMatchObject({ code: 'EW_EVENTS_SCHEMA' })
  })

  it('refuses another events table than the one installed, and migrations that it does not know', async () => {
    await migrateUp(options())
    const moved = { url: db.url, events: { schema: 'public', table: 'other' } }
    expect(await failure(migrateUp(moved))).toMatchObject({ code: 'EW_EVENTS_MOVED' })
    await db.admin.query(`insert into eventward.migrations (name) values ('999_future')`)
    expect(await failure(migrateUp(options()))).toMatchObject({ code: 'EW_MIGRATIONS_NEWER' })
    expect((await migrateStatus(options())).unknown).toEqual(['999_future'])
  })

  it.each([
    { schema: 'Ev"il.$1?', table: 'ev\'en"ts \\? $$ ü' },
    { schema: 'app', table: 'e'.repeat(63) },
  ])('takes hostile names: $schema, $table', async (events) => {
    await db.admin.query(`create schema ${ident(events.schema)}`)
    try {
      await migrateUp({ url: db.url, events })
      const name = qualified(events.schema, events.table)
      await db.admin.query('select eventward.create_partition($1, $2)', ['A\'"\\ü', 'part"?'])
      await insertEvent(db.admin, name, 'A\'"\\ü')
      expect(sqlstateOf(await caught(db.admin.query(`delete from ${name}`)))).toBe('EW001')
      expect((await migrateStatus({ url: db.url, events })).events).toEqual(events)
    } finally {
      await db.admin.query(`drop schema ${ident(events.schema)} cascade`)
    }
  })

  it('is not misled by types and functions of the same name in public', async () => {
    await db.admin.query(`
      create domain public.jsonb as text;
      create function public.clock_timestamp() returns timestamptz language sql as 'select null::timestamptz';
      alter database ${ident(db.name)} set search_path = public, pg_catalog`)
    try {
      await migrateUp(options())
      const { rows } = await db.admin.query<{ type: string }>(
        `select atttypid::regtype::oid::text as type from pg_attribute where attrelid = 'public.events'::regclass and attname = 'data'`,
      )
      expect(rows[0]?.type).toBe('3802')
    } finally {
      await db.admin.query(`
        alter database ${ident(db.name)} reset search_path;
        drop table public.events;
        drop domain public.jsonb;
        drop function public.clock_timestamp()`)
    }
  })

  it('by two processes at once ends well: one does it, the other waits and finds nothing to do', async () => {
    const run = () => runScript<{ migrations: string[]; applied: string[] }>('migrate-process.ts', db.url)
    const results = await Promise.all([run(), run()])
    expect(results.map((result) => result.applied)).toEqual([NAMES, NAMES])
    expect(results.flatMap((result) => result.migrations).toSorted()).toEqual(NAMES)
  })

  it('waits for another one, says for whom, and gives up in time', async () => {
    const other = await db.client()
    await other.query(`set application_name = 'the other'`)
    const key = BigInt('0x6576656e74776172').toString()
    await other.query(`select pg_advisory_lock(${key})`)
    const waited: string[] = []
    const onWait = (holder: string) => void waited.push(holder)
    const error = await failure(migrateUp({ ...options(), waitMs: 50, onWait }))
    expect(error).toMatchObject({ code: 'EW_MIGRATE_BUSY', exitStatus: 1 })
    expect(waited).toEqual([expect.stringMatching(/^the other \(pid \d+\)$/)])

    // Let go while the next one waits: it goes on by itself.
    const next = migrateUp({ ...options(), onWait: () => void release() })
    const release = async () => {
      const { rows } = await db.admin.query<{ pid: string }>(
        `select pid from pg_stat_activity where application_name = 'eventward migrate (lock)'`,
      )
      await waitUntilBlocked(db.admin, rows[0]!.pid)
      await other.query(`select pg_advisory_unlock(${key})`)
    }
    expect((await next).migrations).toEqual(NAMES)
  })
})

/** All relations, functions and schemas that are not the server's. */
async function schemaOf(admin: pg.Client): Promise<readonly unknown[]> {
  const { rows } = await admin.query(
    `select n.nspname, c.relkind::text as kind, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     union all
     select n.nspname, 'function', p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     union all
     select nspname, 'schema', '' from pg_namespace where nspname !~ '^pg_'
     order by 1, 2, 3`,
  )
  return rows
}

async function insertEvent(client: pg.Client, table: string, type = 'A'): Promise<void> {
  await client.query(
    `insert into ${table} (aggregate_type, aggregate_id, version, type, data, occurred_at)
     values ($1, '1', 1, 'Created', '{}', now())`,
    [type],
  )
}

async function caught(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

async function failure(work: Promise<unknown>): Promise<Error & { next?: string }> {
  const error = await caught(work)
  expect(error).toBeInstanceOf(Error)
  return error as Error & { next?: string }
}
