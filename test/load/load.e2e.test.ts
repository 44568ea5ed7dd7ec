import { beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../support/database.js'
import { type LoadTable, readLoadTables } from './load-table.js'
import { prepareLoad, startLoad } from './random-load.js'
import { expectReconciled, readAllRows } from './reconcile.js'

/** EVENTWARD_LOAD_SEED tries another one. */
const SEED = Number(process.env['EVENTWARD_LOAD_SEED'] ?? 20261125)

describe(`a random load that knows nothing of us (seed ${SEED})`, () => {
  const db = testDatabase({ migrated: false })
  let url = ''
  let tables: readonly LoadTable[] = []

  beforeAll(async () => {
    await db.admin.query(SCHEMA)
    url = await prepareLoad(db.admin, db.url)
    tables = await readLoadTables(db.database, db.admin, ['person', 'order', 'line', 'tag'])
  })

  it('reconciles with its ledger, and meets the errors that applications meet', async () => {
    const before = await readAllRows(db.admin, tables)
    const load = await startLoad({ url, tables, seed: SEED, writers: 3 })
    await load.more(2_500)
    await load.stop()
    await expectReconciled(db.admin, tables, before, load.ledger)
    expect(load.ledger.writes.length).toBeGreaterThan(1_000)
    expect(load.ledger.rolledBack).toBeGreaterThan(100)
    expect([...load.ledger.refused.keys()]).toEqual(expect.arrayContaining(['23503', '23505', '40001']))
    expect(load.blamesUs).toEqual([])
  })

  it('is found not to reconcile where one row was changed, added or removed past it', async () => {
    const before = await readAllRows(db.admin, tables)
    const load = await startLoad({ url, tables, seed: SEED + 1 })
    await load.more(200)
    await load.stop()
    await expectReconciled(db.admin, tables, before, load.ledger)
    for (const behind of [
      `update tag set note = note || '!' where ctid = (select min(ctid) from tag)`,
      `insert into tag (label, at) values ('past all ledgers', '2024-01-01')`,
      `delete from tag where ctid = (select max(ctid) from tag)`,
    ]) {
      await db.admin.query('create table kept as table tag')
      await db.admin.query(behind)
      await expect(expectReconciled(db.admin, tables, before, load.ledger)).rejects.toThrow()
      await db.admin.query('delete from tag; insert into tag table kept; drop table kept')
    }
    await expectReconciled(db.admin, tables, before, load.ledger)
  })
})

const SCHEMA = `
create type mood as enum ('sad', 'ok', 'happy');
create table person (id bigserial primary key, name varchar(30) not null unique, mood mood, born date, seen timestamptz);
create table "order" (id integer primary key, person bigint references person, total numeric(10,2) not null check (total >= 0), paid boolean not null default false);
create table line ("order" integer references "order", no smallint, what text, price real, tags text[], primary key ("order", no));
create table tag (label text, at date, note text default 'none', raw bytea, extra jsonb, primary key (label, at));
create function touched() returns trigger language plpgsql as 'begin new.seen = clock_timestamp(); return new; end';
create trigger touched before update on person for each row execute function touched();
insert into person (name, mood, born) select 'p' || i, 'ok', '2000-01-01' from generate_series(1, 200) i;
insert into "order" select i, 1 + i % 200, i * 1.5, i % 2 = 0 from generate_series(1, 300) i;
insert into line select 1 + i % 300, i / 300, 'w' || i, i, '{a,b}' from generate_series(0, 599) i;
insert into tag select 't' || i, date '2020-01-01' + i, 'n', '\\x00ff', '{"a": 1}' from generate_series(1, 200) i;
`
