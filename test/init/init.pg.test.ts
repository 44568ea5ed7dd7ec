import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bindAggregate } from '../../src/bind/index.js'
import { readTables } from '../../src/catalog/index.js'
import { type LoadedConfig, loadConfig } from '../../src/config/index.js'
import {
  checkTables,
  generateTables,
  inferDefinitions,
  writeConfig,
  writeGenerated,
} from '../../src/init/index.js'
import { testDatabase } from '../support/database.js'

describe('init', () => {
  const db = testDatabase({ migrated: false })
  let cwd = ''

  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'eventward-init-'))
    await db.admin.query(FIXTURE)
  })
  afterAll(() => rm(cwd, { recursive: true, force: true }))

  const schemas = ['public', 'app', 'we"ird\\']
  const infer = () =>
    db.database.session(async (session) => inferDefinitions(session, await readTables(session, schemas)))
  const check = () =>
    db.database.session((session) => checkTables(session, schemas, join(cwd, 'eventward.tables.ts')))

  it('writes a configuration that loads, and whose every definition binds', async () => {
    const inferred = await infer()
    const files = await writeConfig(inferred, { cwd, schemas })
    expect(files.map(({ outcome }) => outcome)).toEqual(['written', 'written'])
    const config = await loadConfig(undefined, cwd)
    expect(config.schemas).toEqual(schemas)
    expect(config.aggregates.map(({ name }) => name)).toEqual(inferred.aggregates.map(({ name }) => name))
    expect(config.aggregates.length).toBeGreaterThan(6)
    await bindAll(config)
  })

  const bindAll = (config: LoadedConfig) =>
    db.database.session(async (session) => {
      for (const definition of config.aggregates) {
        const { model } = await bindAggregate(session, definition)
        expect(model.columns.every(({ known }) => known)).toBe(true)
      }
    })

  it('what it writes compiles strictly, hostile names and 1,200 columns included', async () => {
    await writeConfig(await infer(), { cwd, schemas, overwrite: true })
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const compilerOptions = {
      paths: { eventward: [join(root, 'src/index.ts')] },
      typeRoots: [join(root, 'node_modules/@types')],
    }
    const include = ['eventward.*.ts']
    const extending = { extends: join(root, 'tsconfig.json'), compilerOptions, include }
    await writeFile(join(cwd, 'tsconfig.json'), JSON.stringify(extending))
    await writeFile(join(cwd, 'package.json'), '{ "type": "module" }')
    const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', cwd], {
      encoding: 'utf8',
    })
    expect(stdout).toBe('')
    expect(status).toBe(0)
    await rm(join(cwd, 'tsconfig.json'))
  })

  it('infers the events of the talk, and one for each other status that rows have', async () => {
    const { aggregates } = await infer()
    const subscription = aggregates.find(({ name }) => name === 'Subscription')
    expect(subscription?.events.map(({ type }) => type)).toEqual([
      'Created',
      'Activated',
      'Deactivated',
      'Paused',
    ])
    expect(subscription?.events[1]?.set).toEqual([
      { column: 'status', kind: 'constant', value: 'active' },
      { column: 'activated_at', kind: 'occurredAt' },
    ])
  })

  it('reports each table, with what speaks against it', async () => {
    const { tables } = await infer()
    const of = (name: string) => tables.find(({ table }) => table === name)
    expect(of('no_key')).toMatchObject({
      supported: false,
      reasons: [{ code: 'EW_KEY_MISSING' }],
      events: [],
    })
    expect(of('app.subscriptions')).toMatchObject({ supported: true, reasons: [], events: ['Created'] })
    expect(of('subscriptions')?.rows).toBe('3')
    expect(of('wide')?.rows).toBeNull()
    expect(await readFile(join(cwd, 'eventward.config.ts'), 'utf8')).toContain('// no_key has no key')
  })

  it('a table whose statuses may not be read carries them as data', async () => {
    await db.admin.query(`create role reader; grant usage on schema public to reader;
      grant select on subscriptions to reader; alter table subscriptions enable row level security;`)
    try {
      const { aggregates } = await db.database.session(async (session) => {
        await session.execute({ text: 'set role reader', values: [] })
        try {
          return await inferDefinitions(
            session,
            await readTables(session, ['public'], ['subscriptions', 'orders']),
          )
        } finally {
          await session.execute({ text: 'reset role', values: [] })
        }
      })
      const order = aggregates.find(({ name }) => name === 'Order')
      expect(order?.events.map(({ type }) => type)).toEqual(['Created', 'Shipped'])
      expect(order?.events[0]?.data).toContain('state')
    } finally {
      await db.admin.query('alter table subscriptions disable row level security')
    }
  })

  it('keeps a file that someone has edited, and then writes neither', async () => {
    const config = join(cwd, 'eventward.config.ts')
    const before = await readFile(config, 'utf8')
    const tables = join(cwd, 'eventward.tables.ts')
    await writeFile(config, `${before}// mine\n`)
    await rm(tables)
    expect((await writeConfig(await infer(), { cwd, schemas })).map(({ outcome }) => outcome)).toEqual([
      'kept',
      'kept',
    ])
    expect(await readFile(config, 'utf8')).toContain('// mine')
    const written = await writeConfig(await infer(), { cwd, schemas, overwrite: true })
    expect(written.map(({ outcome }) => outcome)).toEqual(['written', 'written'])
    expect(await readFile(config, 'utf8')).toBe(before)
    expect((await writeConfig(await infer(), { cwd, schemas })).map(({ outcome }) => outcome)).toEqual([
      'same',
      'same',
    ])
  })

  it('writes nothing to the database', async () => {
    const changes = async () =>
      (
        await db.admin.query(`select sum(n_tup_ins + n_tup_upd + n_tup_del) as n, (select count(*) from pg_class) as c
        from pg_stat_user_tables`)
      ).rows
    const before = await changes()
    await infer()
    expect(await changes()).toEqual(before)
  })

  it('generate --check says which columns have moved, and nothing where none has', async () => {
    expect(await check()).toEqual({ changes: [], unlisted: ['no_key'] })
    await db.admin.query(`alter table subscriptions drop column note, add column extra text not null default 'x',
        alter column reward_id type bigint, alter column user_id drop not null, alter column created_at drop default;
      alter type sub_status add value 'gone';
      drop table wide;
      alter table just_key drop constraint just_key_pkey, add primary key (b, a)`)
    const { changes } = await check()
    expect(changes).toEqual([
      { table: 'just_key', column: null, change: 'key was (a, b), is (b, a)' },
      { table: 'subscriptions', column: 'user_id', change: 'may be NULL now' },
      { table: 'subscriptions', column: 'reward_id', change: 'was integer, is bigint' },
      {
        table: 'subscriptions',
        column: 'status',
        change: 'labels were unpaid, active, inactive, paused; are unpaid, active, inactive, paused, gone',
      },
      { table: 'subscriptions', column: 'note', change: 'is gone' },
      { table: 'subscriptions', column: 'created_at', change: 'has no default any more' },
      { table: 'subscriptions', column: 'extra', change: 'is new (text)' },
      { table: 'wide', column: null, change: 'is gone' },
    ])
    const text = await db.database.session((session) => generateTables(session, schemas))
    expect(await writeGenerated(join(cwd, 'eventward.tables.ts'), text)).toMatchObject({ outcome: 'written' })
    expect((await check()).changes).toEqual([])
  })

  it('generate --check refuses a file that is none', async () => {
    const path = join(cwd, 'eventward.tables.ts')
    await writeFile(path, 'export const tabels = {}\n')
    await expect(check()).rejects.toMatchObject({ code: 'EW_TABLES_INVALID' })
    await rm(path)
    await expect(check()).rejects.toMatchObject({ code: 'EW_TABLES_MISSING' })
  })
})

const FIXTURE = `
create type sub_status as enum ('unpaid', 'active', 'inactive', 'paused');
create domain moment as timestamptz;
create table subscriptions (
  id bigint generated always as identity primary key, user_id bigint not null, reward_id int not null,
  status sub_status not null default 'unpaid', stripe_key text, note varchar(10),
  created_at timestamptz not null default now(), activated_at moment, deactivated_at timestamp(3));
insert into subscriptions (user_id, reward_id, status) values (1, 1, 'active'), (1, 2, 'paused'), (3, 4, 'inactive');
analyze subscriptions;
create table orders (id int primary key, "OrderDate" date, state text, shipped_date date, total numeric(10,2));
insert into orders values (1, now(), 'shipped', now(), 1), (2, now(), 'in transit', null, 2),
  (3, now(), 'it''s "odd"
\\x', null, 3);
create table just_key (a int, b int, primary key (a, b));
create table no_key (a int);
create table "__proto__" (id int primary key, "__proto__" text, "constructor" text, "1" text, "$residue" text);
create table parted (id int, created_at timestamptz, x text, primary key (id)) partition by range (id);
create schema app;
create table app.subscriptions (id int primary key);
create table app."Order Items" (id int primary key, "class" text);
create schema "we""ird\\";
create table "we""ird\\"."ta'b
le*/" ("co""l" int primary key, "b\\n" text, "$1" text, "\`\${x}" text, "it's" boolean);
do $$ begin execute (
  select format('create table wide (id int primary key, %s)', string_agg('c' || g || ' text', ', '))
  from generate_series(1, 1200) g); end $$;
`
