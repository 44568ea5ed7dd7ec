import { beforeAll, describe, expect, it } from 'vitest'
import { adopt } from '../../src/adopt/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { adopted, defineItems, expectProven, type ItemDefinition, movedItems } from './items.js'

interface Case {
  readonly what: string
  readonly ddl: string
  /** Between the DDL and its adoption. */
  readonly between?: string
  readonly after?: string
  readonly definition?: ItemDefinition
  readonly defaults?: Readonly<Record<string, string | null>>
  readonly adopts: readonly string[]
  /** Streams that a verify --repair has to mend afterwards. */
  readonly repairs?: number
}

/** Writes that know no column by name but those that no case moves. */
const WRITES = `
  insert into items (id, name) values (ID, 'new');
  update items set status = 'closed', closed_at = '2024-03-01Z' where id = ID;
  update items set status = 'reopened' where id = 1;
  update items set status = 'open' where id = 1;
  delete from items where id = ID - 1`

const writes = (id: number) => WRITES.replaceAll('ID', String(id))

const CASES: readonly Case[] = [
  {
    what: 'a column added without a default',
    ddl: 'alter table items add column extra text',
    between: `update items set extra = 'x' where id = 3; insert into items (id, name, extra) values (20, 't', 'y')`,
    after: `update items set extra = null where id = 3; insert into items (id, name, extra) values (30, 'u', 'z')`,
    adopts: ['added extra: null -> null'],
  },
  {
    what: 'a column added with a default',
    ddl: `alter table items add column extra numeric(10,2) not null default 1.5`,
    between: `update items set extra = 2 where id = 3; insert into items (id, name) values (20, 't');
      update items set name = 'z' where id = 10`,
    after: `update items set extra = 3 where id in (1, 3, 20); insert into items (id, name, extra) values (30, 'u', 4)`,
    adopts: ['added extra: null -> 1.50'],
  },
  {
    what: 'a column added with a default that is changed later',
    ddl: `alter table items add column extra text default 'old'; alter table items alter column extra set default 'new'`,
    between: `insert into items (id, name) values (20, 't')`,
    after: `insert into items (id, name) values (30, 'u')`,
    adopts: ['added extra: null -> old'],
  },
  {
    what: 'an added column whose default came later than it, and NULL before',
    ddl: `alter table items add column extra text; alter table items alter column extra set default 'new'`,
    between: `update items set name = 'q' where id = 1`,
    adopts: ['added extra: null -> null'],
  },
  {
    what: 'a column added with a default, the table written anew since',
    ddl: `alter table items add column extra boolean not null default true; vacuum full items`,
    between: `update items set extra = false where id = 1; insert into items (id, name) values (20, 't')`,
    adopts: ['added extra: null -> t'],
  },
  {
    what: 'columns of many types added with defaults',
    ddl: `alter table items add column a integer[] default '{1,2}', add column b jsonb default '{"k": [1, 1.0]}',
      add column c interval default '30 days', add column d char(4) default 'x', add column e timestamptz default '2020-01-01Z',
      add column f text default $$it's "q", \\ {a,b}$$, add column g jsonb default 'null'`,
    between: `update items set a = '[5:6]={3,4}', b = '1', c = '1 mon', d = null where id = 3`,
    after: `insert into items (id, name, a, g) values (30, 'u', null, '[]')`,
    adopts: [
      'added a: null -> {1,2}',
      'added b: null -> {"k": [1, 1.0]}',
      'added c: null -> 30 days',
      'added d: null -> x   ',
      'added e: null -> 2020-01-01 00:00:00+00',
      `added f: null -> it's "q", \\ {a,b}`,
      'added g: null -> null',
    ],
  },
  {
    what: 'a column added with a default of each row’s own',
    ddl: 'alter table items add column extra uuid not null default gen_random_uuid()',
    between: `insert into items (id, name) values (20, 't')`,
    after: `insert into items (id, name) values (30, 'u')`,
    defaults: { extra: null },
    adopts: ['added extra: null -> null'],
    repairs: 5,
  },
  {
    what: 'a dropped column that events carry as residue',
    ddl: 'alter table items drop column note',
    between: `insert into items (id, name) values (20, 't'); update items set place = 'p' where id = 11`,
    adopts: ['dropped note: note -> null'],
  },
  {
    what: 'a dropped column that an event’s data name',
    ddl: 'alter table items drop column qty',
    between: `insert into items (id, name) values (20, 't')`,
    definition: { created: ['name'] },
    adopts: ['dropped qty: qty -> null'],
  },
  {
    what: 'a column dropped and another one added under its name',
    ddl: `alter table items drop column note; alter table items add column note text default 'fresh'`,
    between: `update items set note = 'mine' where id = 3; insert into items (id, name) values (20, 't')`,
    after: `update items set note = null where id in (1, 3)`,
    adopts: ['dropped note: note -> null', 'added note: null -> fresh'],
  },
  {
    what: 'a renamed column that events carry as residue',
    ddl: 'alter table items rename column note to remark',
    between: `update items set remark = 'late' where id in (1, 3); insert into items (id, name, remark) values (20, 't', 'r')`,
    after: `update items set remark = 'later' where id in (3, 20)`,
    adopts: ['renamed remark: note -> remark'],
  },
  {
    what: 'a renamed column that events carry under an attribute of its old name',
    ddl: 'alter table items rename column qty to amount; alter table items rename column place to location',
    between: `update items set amount = 8 where id in (1, 3); update items set location = 'new' where id = 10;
      insert into items (id, name, amount, location) values (20, 't', 5, 'l')`,
    after: `update items set amount = null, location = 'moved' where id in (3, 20)`,
    definition: { created: { name: 'name', qty: 'amount' }, moved: { place: 'location' } },
    adopts: ['renamed amount: qty -> amount', 'renamed location: place -> location'],
  },
  {
    what: 'a renamed column that an event sets',
    ddl: 'alter table items rename column status to state',
    between: `update items set state = 'closed' where id = 3; insert into items (id, name) values (20, 't')`,
    after: `update items set state = 'closed', closed_at = '2024-02-02Z' where id = 20`,
    definition: { status: 'state' },
    adopts: ['renamed state: status -> state'],
  },
  {
    what: 'the key’s column renamed',
    ddl: 'alter table items rename column id to ident',
    between: `insert into items (ident, name) values (20, 't'); update items set qty = 3 where ident = 20;
      delete from items where ident = 3`,
    after: `insert into items (ident, name) values (3, 'back'); update items set ident = 21 where ident = 20`,
    definition: { key: 'ident' },
    adopts: ['renamed ident: id -> ident'],
  },
  {
    what: 'two columns that changed their names',
    ddl: `alter table items rename column note to tmp; alter table items rename column place to note;
      alter table items rename column tmp to place`,
    between: `update items set note = 'n2' where id = 1; update items set place = 'p2' where id in (3, 10);
      insert into items (id, name, note, place) values (20, 't', 'n', 'p')`,
    after: `update items set note = 'n3', place = null where id in (1, 20)`,
    definition: { moved: { place: 'note' } },
    adopts: ['renamed note: place -> note', 'renamed place: note -> place'],
  },
  {
    what: 'an integer that became a bigint',
    ddl: 'alter table items alter column qty type bigint',
    between: `update items set qty = 9007199254740993 where id = 1; insert into items (id, name, qty) values (20, 't', 2)`,
    adopts: ['retyped qty: integer -> bigint'],
  },
  {
    what: 'a varchar that became a text',
    ddl: 'alter table items alter column place type text',
    between: `update items set place = repeat('x', 50) where id = 1`,
    adopts: ['retyped place: character varying(20) -> text'],
  },
  {
    what: 'an integer that became a text',
    ddl: 'alter table items alter column qty type text using qty::text',
    between: `update items set qty = 'seven' where id = 1`,
    adopts: ['retyped qty: integer -> text'],
  },
  {
    what: 'a text that became an integer, by a conversion of values',
    ddl: 'alter table items alter column note type integer using length(note)',
    between: `update items set note = 70 where id = 1`,
    adopts: ['retyped note: text -> integer'],
    repairs: 3,
  },
  {
    what: 'much at once',
    ddl: `alter table items add column extra text default 'e', add column more integer;
      alter table items drop column note; alter table items rename column qty to amount;
      alter table items alter column amount type bigint; alter table items add column note integer not null default 5`,
    between: `update items set amount = 4, extra = 'f', note = 6 where id in (1, 3); insert into items (id, name, more) values (20, 't', 1)`,
    after: `update items set amount = null, more = 2, note = 7 where id in (3, 11, 20)`,
    definition: { created: { name: 'name', qty: 'amount' } },
    adopts: [
      'renamed amount: qty -> amount',
      'retyped amount: integer -> bigint',
      'dropped note: note -> null',
      'added extra: null -> e',
      'added more: null -> null',
      'added note: null -> 5',
    ],
  },
]

for (const { what, ddl, between = '', after = '', definition = {}, defaults, adopts, repairs = 0 } of CASES) {
  describe(`adopts ${what}`, () => {
    const db = testDatabase()
    const names = (sql: string) =>
      (definition.key === undefined ? sql : sql.replaceAll(/\bid\b/g, definition.key)).replaceAll(
        /\bstatus\b/g,
        definition.status ?? 'status',
      )

    beforeAll(() => movedItems(db))

    it('with writes before, between and after', async () => {
      for (const statement of ddl.split(';')) await db.admin.query(statement)
      await db.admin.query(between)
      await db.admin.query(names(writes(50)))
      const items = await defineItems(db, definition)
      expect([...(await adopted(db, items, defaults === undefined ? {} : { defaults }))].sort()).toEqual(
        [...adopts].sort(),
      )
      await db.admin.query(after)
      await db.admin.query(names(writes(60)))
      if (repairs > 0) {
        const { table } = await verify(db.database, items)
        expect(Number(table.differences)).toBe(repairs)
        await verify(db.database, items, { open: true, repair: 'now' })
      }
      await expectProven(db, items)
      const { rows } = await db.admin.query('select * from eventward.incomplete')
      expect(rows).toEqual([])
    })

    it('and captures the fast way from then on, with nothing left to adopt', async () => {
      const items = await defineItems(db, definition)
      expect(await adopt(db.database, items)).toMatchObject({ columns: [], capture: 'none', run: null })
      const last = async () =>
        (
          await db.admin.query<{ position: string }>(
            'select coalesce(max(position), 0) as position from events',
          )
        ).rows[0]?.position
      const before = await last()
      await db.admin.query(names(writes(70)))
      const { rows } = await db.admin.query(
        `select count(*)::text as n, count(*) filter (where metadata ? 'cold')::text as cold from events where position > $1`,
        [before],
      )
      expect(rows).toEqual([{ n: expect.not.stringMatching(/^0$/), cold: '0' }])
      await expectProven(db, items)
    })
  })
}
