/** A2, A11: keys that change, and clocks, between sessions. */
import type pg from 'pg'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testDatabase } from '../support/database.js'
import { waitUntilBlocked } from '../support/race.js'
import { COUNTERS, capturedCounters } from './counters.js'
import { installNaive, naiveStream } from './naive/index.js'
import { outcome, pidOf } from './outcome.js'

describe('capture between sessions', () => {
  const db = testDatabase()
  let one: pg.Client
  let two: pg.Client

  beforeAll(async () => {
    await installNaive(db.admin, 'capture-row', 'capture-key-before', 'capture-transaction-time')
    one = await db.client()
    two = await db.client()
  })
  beforeEach(async () => {
    await db.admin.query('truncate naive.events')
  })

  /** Holds whoever inserts, after the row is in and before any capture trigger runs, until the lock 1 is free. */
  const GATE = (table: string) => `
    create function public.gate_${table}() returns trigger language plpgsql as $$
    begin
      perform pg_advisory_xact_lock(1);
      return null;
    end $$;
    create trigger "!!gate" after insert on public.${table} for each row execute function public.gate_${table}();`

  describe('a key that changes to one which another session inserts (A2)', () => {
    /** The inserter stands between its row and its event; the other one changes its key to that of the row. */
    const race = async (table: string) => {
      await db.admin.query('select pg_advisory_lock(1)')
      await one.query('begin')
      const inserted = outcome(one.query(`insert into public.${table} values (2, 2, 2, null)`))
      await waitUntilBlocked(db.admin, pidOf(one), pidOf(db.admin))
      const moved = outcome(two.query(`update public.${table} set id = 2 where id = 1`))
      await waitUntilBlocked(db.admin, pidOf(two), pidOf(one))
      await db.admin.query('select pg_advisory_unlock(1)')
      const first = await inserted
      await one.query('commit')
      return { inserted: first, moved: await moved }
    }

    it('the naive form breaks: recorded BEFORE the update, the new stream deadlocks the application', async () => {
      await db.admin.query(`
        create table public.keys ${COUNTERS};
        insert into public.keys values (1, 1, 1, null);
        ${GATE('keys')}
        create trigger "~capture" before update on public.keys for each row execute function naive.capture_key_before();
        create trigger "~capture_insert" after insert on public.keys for each row execute function naive.capture_row()`)
      const { inserted, moved } = await race('keys')
      expect([inserted, moved]).toContain('40P01')
    })

    it('meets only the 23505 that it would have met anyway', async () => {
      const table = await capturedCounters(db, 'keys_ours', { before: GATE('keys_ours') })
      await db.admin.query('insert into public.keys_ours values (1, 1, 1, null)')
      expect(await race('keys_ours')).toEqual({ inserted: 'done', moved: '23505' })
      expect(await table.stream('1')).toEqual(['Created {"a": 1, "b": 1}'])
      expect(await table.stream('2')).toEqual(['Created {"a": 2, "b": 2}'])
      await table.expectProven()
    })

    it('moves on where the inserter rolls back', async () => {
      const table = await capturedCounters(db, 'keys_back')
      await db.admin.query('insert into public.keys_back values (1, 1, 1, null)')
      await one.query('begin; insert into public.keys_back values (2, 2, 2, null)')
      const moved = outcome(two.query('update public.keys_back set id = 2 where id = 1'))
      await waitUntilBlocked(db.admin, pidOf(two), pidOf(one))
      await one.query('rollback')
      expect(await moved).toBe('done')
      expect(await table.stream('2')).toEqual(['Created {"a": 1, "b": 1}'])
      await table.expectProven()
    })

    it.each([
      ['commit', '23505'],
      ['rollback', 'done'],
    ])('the other order: the key has changed, and an insert of it waits (%s)', async (end, expected) => {
      const table = await capturedCounters(db, `keys_first_${end}`)
      await db.admin.query(`insert into public.${table.name} values (1, 1, 1, null)`)
      await one.query(`begin; update public.${table.name} set id = 2 where id = 1`)
      const inserted = outcome(two.query(`insert into public.${table.name} values (2, 9, 9, null)`))
      await waitUntilBlocked(db.admin, pidOf(two), pidOf(one))
      await one.query(end)
      expect(await inserted).toBe(expected)
      await table.expectProven()
    })
  })

  describe('the time of an event (A11)', () => {
    const race = async (table: string) => {
      await one.query('begin; select now()')
      await two.query(`update public.${table} set a = 1 where id = 1`)
      await one.query(`update public.${table} set a = 2 where id = 1; commit`)
    }

    it('the naive form breaks: now() of an older transaction runs backwards', async () => {
      await db.admin.query(`
        create table public.clocks ${COUNTERS};
        insert into public.clocks values (1, 0, 0, null);
        create trigger "~capture" before update on public.clocks
        for each row execute function naive.capture_transaction_time()`)
      await race('clocks')
      expect(await naiveStream(db.admin, '1')).toHaveLength(2)
      expect(await backwards('select id, version, at from naive.events')).toBe('1')
    })

    it('never runs backwards, and never before the previous event was recorded', async () => {
      const table = await capturedCounters(db, 'clocks_ours')
      await db.admin.query('insert into public.clocks_ours values (1, 0, 0, null)')
      await race('clocks_ours')
      await race('clocks_ours')
      expect(await table.stream('1')).toHaveLength(5)
      expect(
        await backwards(
          `select aggregate_id as id, version, occurred_at as at from public.events where aggregate_type = '${table.type}'`,
        ),
      ).toBe('0')
      const { rows } = await db.admin.query<{ early: string }>(
        `select count(*) as early
         from public.events e
         join public.events p on p.aggregate_type = e.aggregate_type and p.aggregate_id = e.aggregate_id and p.version = e.version - 1
         where e.aggregate_type = $1 and e.occurred_at < p.recorded_at`,
        [table.type],
      )
      expect(rows).toEqual([{ early: '0' }])
    })

    const backwards = async (events: string) => {
      const { rows } = await db.admin.query<{ times: string }>(
        `select count(*) as times
         from (select at < lag(at) over (partition by id order by version) as back from (${events}) e) b
         where back`,
      )
      return rows[0]?.times
    }
  })
})
