/** B6: a stranger's ALTER TABLE, in sessions whose plans are cached, and in new ones. */
import type pg from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../support/database.js'
import { COUNTERS, type Counters, capturedCounters } from './counters.js'
import { installNaive } from './naive/index.js'
import { outcome } from './outcome.js'

interface Case {
  readonly ddl: string
  /** What the application writes then; the events of stream 1 that it must leave. */
  readonly writes: string
  readonly events: readonly string[]
  /** What the naive form gives the application in an open session, for the same update. */
  readonly naive: string
  /** Makes the table again what the definition knows: then it must be proven. */
  readonly undo?: string
}

const CASES: Readonly<Record<string, Case>> = {
  'a column added': {
    ddl: 'add column c integer',
    writes: 'update %s set c = 5, a = 2 where id = 1',
    events: ['Changed {"a": 2, "$residue": {"c": 5}}'],
    naive: 'done',
    undo: 'drop column c',
  },
  'a column added with a default': {
    ddl: `add column c text not null default 'd'`,
    writes: `update %s set note = 'x' where id = 1; update %s set c = 'e' where id = 1`,
    events: ['Noted {"note": "x"}', 'Changed {"$residue": {"c": "e"}}'],
    naive: 'done',
    undo: 'drop column c',
  },
  'a column dropped': {
    ddl: 'drop column note',
    writes: 'update %s set a = 2 where id = 1',
    events: ['Changed {"a": 2}'],
    naive: '42703',
  },
  'a column renamed': {
    ddl: 'rename column a to c',
    writes: 'update %s set c = 2 where id = 1',
    events: ['Changed {"$residue": {"c": 2}}'],
    naive: '42703',
  },
  'a column of another type': {
    ddl: 'alter column a type text using a::text',
    writes: `update %s set a = 'two' where id = 1`,
    events: ['Changed {"a": "two"}'],
    naive: '42804',
  },
  'a wider type': {
    ddl: 'alter column a type bigint',
    writes: 'update %s set a = 9007199254740993 where id = 1',
    events: ['Changed {"a": 9007199254740993}'],
    naive: '42804',
  },
  'an event’s own column of another type': {
    ddl: 'alter column note type bytea using null',
    writes: `update %s set note = '\\x00ff' where id = 1`,
    events: ['Noted {"note": "\\\\x00ff"}'],
    naive: '42804',
  },
  'a column renamed and of another type': {
    ddl: 'rename column a to c; alter table %s alter column c type numeric(10,2)',
    writes: 'update %s set c = 1.5 where id = 1',
    events: ['Changed {"$residue": {"c": 1.50}}'],
    naive: '42703',
  },
  'a column dropped, and another one of its name': {
    ddl: 'drop column a; alter table %s add column a text',
    writes: `update %s set a = 'two' where id = 1`,
    events: ['Changed {"a": "two"}'],
    naive: '42804',
  },
  'two columns that change names': {
    ddl: 'rename column a to x; alter table %s rename column b to a; alter table %s rename column x to b',
    writes: 'update %s set a = 2 where id = 1',
    events: ['Changed {"a": 2}'],
    naive: 'done',
  },
  'another default': {
    ddl: `alter column note set default 'd'`,
    writes: 'update %s set a = 2 where id = 1',
    events: ['Changed {"a": 2}'],
    naive: 'done',
    undo: 'alter column note drop default',
  },
  'the key renamed': {
    ddl: 'rename column id to ident',
    writes: 'update %s set a = 2 where ident = 1',
    events: ['Changed {"a": 2}'],
    naive: '42703',
    undo: 'rename column ident to id',
  },
  'the key of another type': {
    ddl: 'alter column id type numeric',
    writes: 'update %s set a = 2 where id = 1',
    events: ['Changed {"a": 2}'],
    naive: '42804',
  },
  'a column generated from now on': {
    ddl: 'drop column b; alter table %s add column b integer generated always as (a * 2) stored',
    writes: 'update %s set a = 2 where id = 1',
    events: ['Changed {"a": 2}'],
    naive: 'done',
  },
}

describe('a stranger’s ALTER TABLE (B6)', () => {
  const db = testDatabase()
  let app: pg.Client

  beforeAll(async () => {
    await installNaive(db.admin, 'capture-compiled')
    app = await db.client()
  })

  const alter = (table: string, ddl: string) =>
    db.admin.query(`alter table public.${table} ${ddl.replaceAll('%s', `public.${table}`)}`)
  const write = (client: pg.Client, table: string, sql: string) =>
    outcome(client.query(sql.replaceAll('%s', `public.${table}`)))
  const slug = (name: string) => name.replaceAll(/\W/g, '_').toLowerCase()
  /** Enough for each plan to be a generic one. */
  const warm = async (table: string) => {
    for (let i = 0; i < 12; i += 1) {
      await app.query(
        `insert into public.${table} values (${i}, 1, 1, 'n') on conflict (id) do update set a = 1`,
      )
      await app.query(`update public.${table} set a = 1 - a, note = note || 'n' where id = ${i}`)
      await app.query(`update public.${table} set a = 1, note = 'n' where id = ${i}`)
    }
  }
  const captured = async (name: string, events: Counters['stream']) => {
    const before = (await events('1')).length
    return { name, since: async () => (await events('1')).slice(before) }
  }

  describe.each(Object.entries(CASES))('%s', (name, { ddl, writes, events, naive, undo }) => {
    it(`the naive form gives an open session ${naive}`, async () => {
      const table = `naive_${slug(name)}`
      await db.admin.query(`
        create table public.${table} ${COUNTERS};
        create trigger "~capture" before update on public.${table}
        for each row execute function naive.capture_compiled()`)
      await warm(table)
      await alter(table, ddl)
      expect(await write(app, table, writes)).toBe(naive)
    })

    it.each(['open', 'new'])(
      'no write fails and no value is missing in a session that is %s',
      async (session) => {
        const table = `${slug(name)}_${session}`
        const counters = await capturedCounters(db, table)
        await warm(table)
        const { since } = await captured(table, counters.stream)
        await alter(table, ddl)
        const client = session === 'open' ? app : await db.client()
        expect(await write(client, table, writes)).toBe('done')
        expect(await since()).toEqual(events)
        // The rest of what an application does.
        const key = name === 'the key renamed' ? 'ident' : 'id'
        for (const sql of [
          `insert into %s (${key}) values (100), (101)`,
          `update %s set ${key} = 200 where ${key} = 100`,
          `delete from %s where ${key} in (101, 5)`,
        ]) {
          expect(await write(client, table, sql)).toBe('done')
        }
        expect((await counters.stream('5')).at(-1)).toBe('Deleted {}')
        expect((await counters.stream('100')).at(0)).toMatch(/^Created/)
        expect((await counters.stream('100')).at(-1)).toBe('Deleted {}')
        expect((await counters.stream('200')).at(0)).toMatch(/^Created/)
        const { rows } = await db.admin.query('select * from eventward.incomplete')
        expect(rows).toEqual([])
        if (undo !== undefined) {
          await alter(table, undo)
          await counters.expectProven()
        }
      },
    )
  })

  describe('forms that name columns, or compare whole rows', () => {
    it('WHEN naming a column refuses the column’s DROP and its change of type', async () => {
      await db.admin.query(`
        create table public.named ${COUNTERS};
        create trigger "~capture" before update on public.named for each row
        when (old.a is distinct from new.a) execute function naive.capture_compiled()`)
      expect(await outcome(alter('named', 'drop column a'))).toBe('2BP01')
      expect(await outcome(alter('named', 'alter column a type bigint'))).toBe('0A000')
    })

    it('UPDATE OF misses what a BEFORE trigger changes', async () => {
      await db.admin.query(`
        create table public.of_columns ${COUNTERS};
        insert into public.of_columns values (1, 1, 1, null);
        create function public.stamp() returns trigger language plpgsql as $$ begin new.note = 'stamped'; return new; end $$;
        create trigger legacy before update on public.of_columns for each row execute function public.stamp();
        create trigger "~capture" before update of note on public.of_columns
        for each row execute function naive.capture_compiled();
        truncate naive.events;
        update public.of_columns set b = 2`)
      expect((await db.admin.query('select * from naive.events')).rows).toEqual([])
    })

    it('old.* is distinct from new.* fails with json, and so does the application’s write', async () => {
      await db.admin.query(`
        create table public.whole (id bigint primary key, note json);
        insert into public.whole values (1, '{}');
        create trigger "~capture" before update on public.whole
        for each row execute function naive.capture_whole_row()`)
      expect(await write(app, 'whole', `update %s set note = '{ }'`)).toBe('42883')
    })

    it('ours names none: each column can be dropped and changed, and json is compared as text', async () => {
      const table = await capturedCounters(db, 'unnamed')
      for (const column of ['a', 'b', 'note'])
        await alter('unnamed', `alter column ${column} type json using null`)
      await db.admin.query(`insert into public.unnamed values (1, '{"x":1}', null, null)`)
      await db.admin.query(`update public.unnamed set a = '{"x": 1}'`)
      await db.admin.query(`update public.unnamed set a = '{"x": 1}'`)
      await db.admin.query(`update public.unnamed set a = 'null'`)
      expect(await table.stream('1')).toEqual([
        'Created {"a": "{\\"x\\":1}", "b": null}',
        'Changed {"a": "{\\"x\\": 1}"}',
        'Changed {"a": "null"}',
      ])
      for (const column of ['a', 'b', 'note']) await alter('unnamed', `drop column ${column}`)
      await db.admin.query('delete from public.unnamed')
      expect((await table.stream('1')).at(-1)).toBe('Deleted {}')
    })
  })
})
