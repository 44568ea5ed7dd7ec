import { describe, expect, it } from 'vitest'
import { adopt } from '../../src/adopt/index.js'
import { backfill } from '../../src/backfill/index.js'
import { captureOn } from '../../src/capture/index.js'
import { type AggregateDefinition, defineAggregate, defineTable } from '../../src/definition/index.js'
import { type TestDatabase, testDatabase } from '../support/database.js'
import { expectProven } from './items.js'

/** One `Created` that carries nothing, of a table with the columns that it has now. */
async function define(db: TestDatabase, name: string, key: readonly string[]): Promise<AggregateDefinition> {
  const { rows } = await db.admin.query<Record<'attname' | 'type', string>>(
    `select attname, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`,
    [name],
  )
  const table = defineTable<Record<string, never>>()({
    schema: 'public',
    name,
    key,
    columns: Object.fromEntries(
      rows.map(({ attname, type }) => [attname, { type, nullable: !key.includes(attname) }]),
    ),
  } as never)
  return defineAggregate({
    name: `Form of ${name}`,
    table,
    events: { Created: { creates: true, data: [] } },
  } as never) as unknown as AggregateDefinition
}

interface Form {
  readonly what: string
  readonly make: string
  readonly key: readonly string[]
  readonly ddl: readonly string[]
  readonly between: string
  readonly keyAfter?: readonly string[]
}

const FORMS: readonly Form[] = [
  {
    what: 'a partitioned table, whose leaves know what the parent does not',
    make: `create table f (id integer primary key, note text) partition by range (id);
      create table f_low (gone integer, note text, id integer not null);
      alter table f_low drop column gone;
      alter table f attach partition f_low for values from (0) to (100);
      create table f_high partition of f for values from (100) to (1000);
      insert into f select i, 'n' || i from generate_series(90, 110) i`,
    key: ['id'],
    ddl: [`alter table f add column extra text default 'e'`, 'alter table f rename column note to remark'],
    between: `update f set extra = 'own' where id = 105; update f_low set remark = 'r' where id = 95;
      insert into f values (50, 'new', null), (500, 'new', 'x'); update f set id = 600 where id = 91; delete from f where id = 92`,
  },
  {
    what: 'a key of two columns, both renamed',
    make: `create table f (region text, n integer, note text, primary key (region, n));
      insert into f values ('a,b', 1, 'x'), ('', 2, null)`,
    key: ['region', 'n'],
    ddl: [
      'alter table f rename column region to area',
      'alter table f rename column n to number',
      'alter table f add column extra integer default 7',
    ],
    between: `insert into f values ('c', 3, 'y', null); update f set note = 'z' where number = 1; update f set area = 'moved' where number = 2`,
    keyAfter: ['area', 'number'],
  },
  {
    what: 'a table with generated and identity columns, added too',
    make: `create table f (id integer generated always as identity primary key, a integer, twice integer generated always as (a * 2) stored);
      insert into f (a) values (1), (2)`,
    key: ['id'],
    ddl: [
      'alter table f add column thrice integer generated always as (a * 3) stored',
      'alter table f add column b integer default 5',
      'alter table f drop column twice',
    ],
    between: `insert into f (a, b) values (3, null); update f set b = 6 where id = 1`,
  },
  {
    what: 'columns of types that an application made, with defaults',
    make: `create type mood as enum ('sad', 'ok'); create domain short as varchar(5) check (value <> 'bad');
      create type pair as (x integer, y text);
      create table f (id integer primary key); insert into f values (1), (2)`,
    key: ['id'],
    ddl: [
      `alter table f add column m mood not null default 'ok', add column s short default 'abc', add column p pair default '(1,"a b")',
        add column l mood[] default '{sad,ok}', add column r int4range default '[1,5)'`,
      `alter type mood rename value 'ok' to 'fine'`,
    ],
    between: `insert into f (id, m) values (3, 'sad'); update f set p = null, s = 'x' where id = 1`,
  },
]

for (const { what, make, key, ddl, between, keyAfter = key } of FORMS) {
  describe(`adopt of ${what}`, () => {
    const db = testDatabase()

    it('ends proven by both engines', async () => {
      await db.admin.query(make)
      const before = await define(db, 'f', key)
      await captureOn(db.database, before)
      await backfill(db.database, before)
      await expectProven(db, before)
      for (const statement of ddl) await db.admin.query(statement)
      await db.admin.query(between)
      const after = await define(db, 'f', keyAfter)
      expect((await adopt(db.database, after)).capture).toBe('replaced')
      await expectProven(db, after)
      expect((await db.admin.query('select * from eventward.incomplete')).rows).toEqual([])
    })
  })
}

describe('adopt in event_first', () => {
  const db = testDatabase()

  it('keeps the phase: no write is made under another one', async () => {
    await db.admin.query(`create table f (id integer primary key, a text); insert into f values (1, 'x')`)
    const before = await define(db, 'f', ['id'])
    await captureOn(db.database, before)
    await backfill(db.database, before)
    await expectProven(db, before)
    await db.admin.query(`select eventward.flip('Form of f', 'event_first')`)
    await db.admin.query(`alter table f add column b text default 'd'`)
    await db.admin.query(`update f set a = 'y' where id = 1`)
    const after = await define(db, 'f', ['id'])
    await adopt(db.database, after)
    await db.admin.query(`update f set b = 'z' where id = 1`)
    await expectProven(db, after)
    const { rows } = await db.admin.query('select phase, state from eventward.captures')
    expect(rows).toEqual([{ phase: 'event_first', state: 'on' }])
  })
})
