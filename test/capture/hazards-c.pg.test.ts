/** C4, C6, D2, D6: what an application says beside its write: metadata, and a command's announcement. */
import type pg from 'pg'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { announce, announced } from './announce.js'
import { COUNTERS, type Counters, capturedCounters } from './counters.js'
import { installNaive, naiveStream } from './naive/index.js'
import { outcome } from './outcome.js'

describe('what is said beside a write', () => {
  const db = testDatabase()
  let app: pg.Client

  beforeAll(async () => {
    await installNaive(db.admin, 'capture-row', 'capture-metadata', 'capture-announced')
    app = await db.client()
  })
  beforeEach(async () => {
    await app.query('rollback')
    await app.query('discard all')
    await db.admin.query('truncate naive.events')
  })

  describe('metadata in a setting (C6)', () => {
    const metadata = async (table: Counters) => {
      const { rows } = await db.admin.query<{ metadata: string }>(
        'select metadata from public.events where aggregate_type = $1 order by position',
        [table.type],
      )
      return rows.map((row) => JSON.parse(row.metadata) as Record<string, unknown>)
    }

    it('the naive form breaks: set for the session it goes on into the next transaction, and SET LOCAL leaves an empty text', async () => {
      await db.admin.query(`
        create table public.said ${COUNTERS};
        insert into public.said values (1, 0, 0, null);
        create trigger "~capture" before update on public.said for each row execute function naive.capture_metadata()`)
      await app.query(
        `begin; set eventward.metadata = '{"actor":"ann"}'; update public.said set a = 1; commit`,
      )
      await app.query('begin; update public.said set a = 2; commit')
      expect(await naiveStream(db.admin, '1')).toEqual([
        '1 Changed {"actor": "ann"}',
        '2 Changed {"actor": "ann"}',
      ])
      await app.query('discard all')
      await app.query(
        `begin; set local eventward.metadata = '{"actor":"ann"}'; update public.said set a = 3; commit`,
      )
      expect(await outcome(app.query('update public.said set a = 4'))).toBe('22P02')
    })

    it('belongs to its transaction alone, and nothing said is nothing', async () => {
      const table = await capturedCounters(db, 'said_ours')
      await app.query(
        `begin; set local eventward.metadata = '{"actor":"ann","source":"forged"}'; insert into public.said_ours values (1, 0, 0, null); commit`,
      )
      await app.query('update public.said_ours set a = 2')
      await app.query(
        `begin; set local eventward.metadata = '{"actor":"bob"}'; update public.said_ours set a = 3; rollback`,
      )
      await app.query('update public.said_ours set a = 4, note = $$n$$')
      const [first, ...others] = await metadata(table)
      expect(first).toMatchObject({ actor: 'ann', source: 'trigger', user: expect.any(String) })
      expect(others).toHaveLength(3)
      for (const other of others) {
        expect(other).not.toHaveProperty('actor')
        expect(other).not.toHaveProperty('unreadable')
      }
    })

    it.each(['{', '[]', 'null', '"x"', '1', '{"a":"\\u0000"}'])(
      'that is no object fails no write: %s',
      async (said) => {
        const table = await capturedCounters(db, `bad_${Buffer.from(said).toString('hex')}`)
        await app.query('begin')
        await app.query(`select set_config('eventward.metadata', $1, true)`, [said])
        expect(await outcome(app.query(`insert into public.${table.name} values (1, 0, 0, null)`))).toBe(
          'done',
        )
        await app.query('commit')
        expect(await metadata(table)).toMatchObject([{ source: 'trigger', unreadable: said }])
        await table.expectProven()
      },
    )
  })

  describe('an announcement (D2, D6)', () => {
    const SIBLINGS = (table: string) => `
      create function public.siblings_${table}() returns trigger language plpgsql as $$
      begin
        if pg_trigger_depth() = 1 then
          update public.${table} set b = b + 1 where id <> new.id;
        end if;
        return new;
      end $$;
      -- Before ours: the sibling is written first.
      create trigger legacy before update on public.${table} for each row execute function public.siblings_${table}();`

    it('the naive form breaks: a sibling that a nested trigger writes uses it up', async () => {
      await db.admin.query(`
        create table public.siblings ${COUNTERS};
        insert into public.siblings values (1, 0, 0, null), (2, 0, 0, null);
        ${SIBLINGS('siblings')}
        create trigger "~capture" before update on public.siblings for each row execute function naive.capture_announced()`)
      await app.query(`begin; select set_config('naive.announced', 'Noted', true)`)
      await app.query(`update public.siblings set note = 'n' where id = 1; commit`)
      expect((await naiveStream(db.admin, '2'))[0]).toMatch(/^1 Noted/)
      expect((await naiveStream(db.admin, '1'))[0]).toMatch(/^1 Changed/)
    })

    const noted = (table: Counters, id: string, image: Readonly<Record<string, string | null>> | null) => ({
      type: table.type,
      id,
      events: [{ type: 'Noted', data: { note: 'by command' } }],
      image,
    })

    it.each(['dual_write', 'event_first'])(
      'is used up by the first write of its key alone (%s)',
      async (phase) => {
        const table = await capturedCounters(db, `key_${phase}`, {
          before: `insert into public.key_${phase} values (1, 0, 0, null), (2, 0, 0, null); ${SIBLINGS(`key_${phase}`)}`,
        })
        if (phase === 'event_first')
          await db.admin.query(`select eventward.flip($1, 'event_first')`, [table.type])
        await app.query('begin')
        await announce(app, noted(table, '1', { id: '1', a: '0', b: '0', note: 'by command' }))
        await app.query(`update public.${table.name} set note = 'by command' where id = 1`)
        expect(await announced(app)).toBe('')
        await app.query(`update public.${table.name} set a = 5 where id = 1; commit`)
        // A row that was never backfilled gets its creation first.
        expect(await table.stream('1')).toEqual([
          'Created {"a": 0, "b": 0}',
          'Noted {"note": "by command"}',
          'Changed {"a": 5}',
        ])
        expect(await table.stream('2')).toEqual([
          'Created {"a": 0, "b": 0}',
          'Changed {"b": 1}',
          'Changed {"b": 2}',
        ])
        await table.expectProven()
      },
    )

    it('is left alone by another aggregate with the same key, and by a write that fails', async () => {
      const table = await capturedCounters(db, 'mine')
      const other = await capturedCounters(db, 'other')
      await db.admin.query(
        'insert into public.mine values (1, 0, 0, null); insert into public.other values (1, 0, 0, null)',
      )
      await app.query('begin')
      await announce(app, noted(table, '1', { id: '1', a: '0', b: '0', note: 'by command' }))
      await app.query('update public.other set a = 1')
      expect(await outcome(app.query(`savepoint s; update public.mine set id = null`))).not.toBe('done')
      await app.query('rollback to s')
      expect(await announced(app)).not.toBe('')
      await app.query(`update public.mine set note = 'by command' where id = 1`)
      expect(await announced(app)).toBe('')
      await app.query('commit')
      expect(await other.stream('1')).toEqual(['Created {"a": 0, "b": 0}', 'Changed {"a": 1}'])
      expect(await table.stream('1')).toEqual(['Created {"a": 0, "b": 0}', 'Noted {"note": "by command"}'])
    })

    it('of a removal is followed by nothing', async () => {
      const table = await capturedCounters(db, 'removed')
      await db.admin.query('insert into public.removed values (1, 0, 0, null)')
      await app.query('begin')
      await announce(app, { type: table.type, id: '1', events: [{ type: 'Deleted', data: {} }], image: null })
      await app.query('delete from public.removed; commit')
      expect(await table.stream('1')).toEqual(['Created {"a": 0, "b": 0}', 'Deleted {}'])
      await table.expectProven()
    })

    it('that can’t be read fails no write, and is none', async () => {
      const table = await capturedCounters(db, 'unreadable')
      await db.admin.query('insert into public.unreadable values (1, 0, 0, null)')
      for (const said of [
        '{',
        '[]',
        '7',
        '{"type":"Counter unreadable"}',
        '{"type":"Counter unreadable","id":"1"}',
      ]) {
        await app.query('begin')
        await app.query(`select set_config('eventward.announced', $1, true)`, [said])
        expect([
          said,
          await outcome(app.query('update public.unreadable set a = a + 1 where id = 1')),
        ]).toEqual([said, 'done'])
        await app.query('commit')
      }
      await table.expectProven()
    })
  })

  describe('a legacy BEFORE trigger that sets a column in event_first (C4)', () => {
    const STAMP = (table: string) => `
      create function public.stamp_${table}() returns trigger language plpgsql as $$ begin new.b = 99; return new; end $$;
      create trigger legacy before insert or update on public.${table} for each row execute function public.stamp_${table}();`
    const command = async (table: Counters) => {
      await app.query('begin')
      await announce(app, {
        type: table.type,
        id: '1',
        events: [{ type: 'Created', data: { a: 1, b: 1 } }],
        image: { id: '1', a: '1', b: '1', note: null },
      })
      await app.query(`insert into public.${table.name} values (1, 1, 1, null); commit`)
    }

    it('the naive form breaks: events as the command meant them, and a row that is another', async () => {
      const table = await capturedCounters(db, 'meant')
      await db.admin.query(
        `${STAMP('meant')} alter table public.meant disable trigger user; alter table public.meant enable trigger legacy`,
      )
      await db.admin.query(
        `insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
         values ($1, '1', 1, 'Created', '{"a": 1, "b": 1}', now())`,
        [table.type],
      )
      await db.admin.query('insert into public.meant values (1, 1, 1, null)')
      expect((await verify(db.database, table.definition)).differences).toMatchObject([
        { kind: 'row_differs', columns: [{ column: 'b', row: '99', events: '1' }] },
      ])
    })

    it('is recorded as a Changed of its own', async () => {
      const table = await capturedCounters(db, 'stamped', { before: STAMP('stamped') })
      await db.admin.query(`select eventward.flip($1, 'event_first')`, [table.type])
      await command(table)
      expect(await table.stream('1')).toEqual(['Created {"a": 1, "b": 1}', 'Changed {"b": 99}'])
      await table.expectProven()
    })
  })
})
