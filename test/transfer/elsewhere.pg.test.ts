/** Imports onto tables that are not quite as they were, of events that the server can't fold alone, and by two at once. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adopt } from '../../src/adopt/index.js'
import { backfill } from '../../src/backfill/index.js'
import { captureOn } from '../../src/capture/index.js'
import { applicationKnex } from '../../src/db/index.js'
import { defineAggregate, defineTable, type Integer, lookup } from '../../src/definition/index.js'
import { eventsOf } from '../../src/runtime/index.js'
import { exportEvents, importEvents } from '../../src/transfer/index.js'
import { defineItems, expectProven, movedItems } from '../adopt/items.js'
import { Account, createAccounts } from '../support/account.js'
import { testDatabase } from '../support/database.js'
import { interpose } from '../support/interpose.js'
import { gate } from '../support/race.js'
import { createStaff, Department, Employee, insertStaff } from './staff.js'
import { expectVerified, rowsOf, eventsOf as storedEvents } from './staging.js'

let folder = ''
const path = (name: string) => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eventward-transfer-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('events of a table whose columns moved', () => {
  const source = testDatabase()
  const staging = testDatabase()
  const now = { created: { name: 'name', qty: 'amount' } } as const
  const COLUMNS = 'id, name, amount, place, status, made, closed_at, extra'

  it('are imported onto one made anew, whose columns have other numbers', async () => {
    await movedItems(source)
    await source.admin.query(`
      alter table items rename column qty to amount;
      alter table items drop column note;
      alter table items add column extra text default 'e';
      insert into items (id, name, amount) values (20, 'cold', 1);
      update items set extra = 'cold', amount = 5 where id in (1, 3)`)
    const definition = await defineItems(source, now)
    await adopt(source.database, definition)
    await source.admin.query(`
      update items set extra = 'warm', amount = 6 where id in (3, 10);
      insert into items (id, name, amount, extra) values (21, 'warm', null, null)`)
    await expectProven(source, definition)
    await exportEvents(source.database, [definition], { out: path('moved') })

    await staging.admin.query(`
      create table items (
        closed_at timestamptz, extra text default 'e', amount integer, gone text, name text not null,
        id integer primary key, made timestamptz not null default now(), place varchar(20),
        status text not null default 'open');
      alter table items drop column gone`)
    const here = await defineItems(staging, now)
    await importEvents(staging.database, [here], { from: path('moved') })
    const rows = async ({ admin }: typeof source) =>
      (await admin.query(`select ${COLUMNS} from items order by id`)).rows
    expect(await rows(staging)).toEqual(await rows(source))
    await expectProven(staging, here)
    // And it's captured on: what is written now is folded with what was written there.
    await captureOn(staging.database, here)
    await staging.admin.query(`update items set extra = 'here', amount = amount + 1`)
    await expectProven(staging, here)
  })

  it('hide a dropped column under the name that it had', async () => {
    const definition = await defineItems(source, now)
    await exportEvents(source.database, [definition], {
      out: path('note'),
      masks: { items: { note: 'fixed:-' } },
    })
    expect(await readFile(path('moved'), 'utf8')).toContain('"note": "said"')
    expect(await readFile(path('note'), 'utf8')).not.toMatch(/"note": "(?!-")/)
  })
})

describe('events whose effect code says', () => {
  const source = testDatabase()
  const staging = testDatabase()

  it('are folded by that code', async () => {
    for (const { admin } of [source, staging]) await admin.query(createAccounts)
    await captureOn(source.database, Account)
    await source.admin.query(
      `insert into public.accounts select n, 'o' || n, 0, true, null, '2020-01-01' from generate_series(1, 9) n`,
    )
    const knex = applicationKnex({ url: source.url, applicationName: 'credits', max: 1 })
    const { Credited } = eventsOf(Account)
    try {
      for (const [id, amount] of [
        ['1', '10.01'],
        ['1', '0.10'],
        ['4', '9999999999.99'],
      ] as const)
        await Credited.create(knex, { id, amount, updated_by: 'x' })
    } finally {
      await knex.destroy()
    }
    await exportEvents(source.database, [Account], { out: path('accounts') })
    await importEvents(staging.database, [Account], { from: path('accounts'), pageSize: 4 })
    expect(await rowsOf(staging.admin, Account)).toEqual(await rowsOf(source.admin, Account))
    expect((await staging.admin.query('select balance from accounts where id = 1')).rows).toEqual([
      { balance: '10.11' },
    ])
    await expectVerified(staging.database, [Account], ['replay'])
  })
})

describe('a table whose constants are rows of another one of the export', () => {
  const source = testDatabase()
  const staging = testDatabase()
  const kinds = defineTable<{ id: Integer; code: string }>()({
    schema: 'public',
    name: 'kinds',
    key: ['id'],
    columns: { id: { type: 'integer', nullable: false }, code: { type: 'text', nullable: false } },
  })
  const things = defineTable<{ id: Integer; kind_id: Integer }>()({
    schema: 'public',
    name: 'things',
    key: ['id'],
    columns: { id: { type: 'integer', nullable: false }, kind_id: { type: 'integer', nullable: false } },
  })
  const Thing = defineAggregate({
    name: 'Thing',
    table: things,
    events: {
      Made: { creates: true, data: ['kind_id'] },
      Finished: { set: { kind_id: lookup(kinds, { code: 'done' }) } },
    },
  })
  const Kind = defineAggregate({
    name: 'Kind',
    table: kinds,
    events: { Named: { creates: true, data: ['code'] } },
  })

  it('waits for them', async () => {
    for (const { admin } of [source, staging])
      await admin.query(`
        create table public.kinds (id integer primary key, code text not null unique);
        create table public.things (id integer primary key, kind_id integer not null references public.kinds)`)
    await source.admin.query(`insert into public.kinds values (3, 'new'), (7, 'done')`)
    await captureOn(source.database, Thing)
    await captureOn(source.database, Kind)
    await source.admin.query(`
      update public.kinds set code = code;
      insert into public.things values (1, 3), (2, 7);
      update public.things set kind_id = 7 where id = 1`)
    await backfill(source.database, Kind)
    await exportEvents(source.database, [Thing, Kind], { out: path('things') })
    await importEvents(staging.database, [Thing, Kind], { from: path('things') })
    for (const definition of [Thing, Kind])
      expect(await rowsOf(staging.admin, definition)).toEqual(await rowsOf(source.admin, definition))
    await expectVerified(staging.database, [Thing, Kind])
  })
})

describe('two tables that refer to each other', () => {
  const source = testDatabase()
  const staging = testDatabase()

  beforeAll(async () => {
    await source.admin.query(createStaff)
    for (const definition of [Department, Employee]) await captureOn(source.database, definition)
    await source.admin.query(insertStaff)
    await exportEvents(source.database, [Department, Employee], { out: path('staff') })
    await staging.admin.query(createStaff)
  })

  it('are refused, with the constraints named, where no column of the circle may be NULL', async () => {
    await staging.admin.query('alter table departments alter head_id set not null')
    await expect(
      importEvents(staging.database, [Department, Employee], { from: path('staff') }),
    ).rejects.toMatchObject({
      code: 'EW_IMPORT_CIRCLE',
      details: { constraints: ['departments_head_id_fkey', 'employees_department_id_fkey'] },
    })
    await staging.admin.query('alter table departments alter head_id drop not null')
    expect(await storedEvents(staging.admin)).toEqual([])
  })

  it('are left half done by a constraint that refuses a row, and gone on with once it is mended', async () => {
    await staging.admin.query(`alter table employees add constraint short check (name <> 'e77')`)
    const run = () =>
      importEvents(staging.database, [Department, Employee], { from: path('staff'), pageSize: 20 })
    await expect(run()).rejects.toMatchObject({
      code: 'EW_IMPORT_CONSTRAINT',
      details: { table: 'employees', constraint: 'short' },
    })
    await staging.admin.query('alter table employees drop constraint short')
    expect(await run()).toMatchObject({ resumed: true })
    for (const definition of [Department, Employee])
      expect(await rowsOf(staging.admin, definition)).toEqual(await rowsOf(source.admin, definition))
    await expectVerified(staging.database, [Department, Employee])
  })
})

describe('two imports of one file at once', () => {
  const source = testDatabase()
  const staging = testDatabase()

  it('write it once: the slower one says that the other goes on', async () => {
    await source.admin.query(createStaff)
    for (const definition of [Department, Employee]) await captureOn(source.database, definition)
    await source.admin.query(insertStaff)
    await exportEvents(source.database, [Department, Employee], { out: path('twice') })
    await staging.admin.query(createStaff)
    const stand = gate()
    let met = 0
    const slow = interpose(staging.database, (text) => {
      if (!text.includes('json_array_elements')) return undefined
      met += 1
      return met === 2 ? stand.pass() : undefined
    })
    const options = { from: path('twice'), pageSize: 20 }
    // It stands with the run's row locked: the other one waits there, and finds that it was moved on.
    const first = importEvents(slow, [Department, Employee], options)
    await stand.entered
    const second = importEvents(staging.database, [Department, Employee], options)
    const refused = expect(second).rejects.toMatchObject({ code: 'EW_IMPORT_BUSY' })
    stand.open()
    await refused
    await first
    expect(await storedEvents(staging.admin)).toEqual(await storedEvents(source.admin))
    await expectVerified(staging.database, [Department, Employee])
  })
})
