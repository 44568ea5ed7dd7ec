/** B1, B3, B10: the application is refused, blocked or deadlocked. */
import type pg from 'pg'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { testDatabase } from '../support/database.js'
import { waitUntilBlocked } from '../support/race.js'
import { COUNTERS, capturedCounters } from './counters.js'
import { installNaive } from './naive/index.js'
import { outcome, pidOf } from './outcome.js'

const LEVELS = ['read committed', 'repeatable read', 'serializable'] as const

describe('an application that is captured', () => {
  const db = testDatabase()
  let one: pg.Client
  let two: pg.Client

  beforeAll(async () => {
    await installNaive(db.admin, 'capture-existing', 'capture-locking')
    one = await db.client()
    two = await db.client()
    for (const client of [one, two]) await client.query(`set statement_timeout = '15s'`)
  })
  beforeEach(async () => {
    for (const client of [one, two]) await client.query('rollback')
    await db.admin.query('truncate naive.events')
  })

  describe('whose snapshot is older than its row’s backfill (B1)', () => {
    it.each([
      ['capture_existing', '23505'],
      ['capture_existing_on_conflict', '40001'],
    ])('the naive form breaks: %s gives it %s', async (form, expected) => {
      await db.admin.query(`
        create table public.${form} ${COUNTERS};
        insert into public.${form} values (1, 0, 0, null);
        create trigger "~capture" before update on public.${form} for each row execute function naive.${form}()`)
      await one.query(`begin isolation level repeatable read; select count(*) from public.${form}`)
      await two.query(`select naive.append('1', 'Created', '{}')`)
      expect(await outcome(one.query(`update public.${form} set a = 1`))).toBe(expected)
    })

    it.each(LEVELS)('writes, and the row has one creation (%s)', async (level) => {
      const name = `older_${level.replace(' ', '_')}`
      const table = await capturedCounters(db, name, {
        before: `insert into public.${name} select i, 0, 0, 'n' from generate_series(1, 3) i;`,
      })
      await one.query(`begin isolation level ${level}; select count(*) from public.${name}`)
      await backfill(db.database, table.definition)
      expect(await outcome(one.query(`update public.${name} set a = 1 where id = 1`))).toBe('done')
      expect(await outcome(one.query(`update public.${name} set a = 2, note = 'm' where id = 1`))).toBe(
        'done',
      )
      expect(await outcome(one.query(`delete from public.${name} where id = 2`))).toBe('done')
      expect(await outcome(one.query(`update public.${name} set id = 30 where id = 3`))).toBe('done')
      await one.query('commit')
      // Where its creation means two events, the backfill's came first.
      expect(await table.stream('1')).toEqual([
        'Created {"a": 0, "b": 0}',
        'Changed {"note": "n"}',
        'Changed {"a": 1}',
        'Noted {"note": "m"}',
        'Changed {"a": 2}',
      ])
      await table.expectProven()
    })

    it.each(LEVELS)(
      'the other order: it has written, and the backfill comes while it has not committed (%s)',
      async (level) => {
        const name = `first_${level.replace(' ', '_')}`
        const table = await capturedCounters(db, name, {
          before: `insert into public.${name} select i, 0, 0, 'n' from generate_series(1, 3) i;`,
        })
        await one.query(`begin isolation level ${level}; update public.${name} set a = 1 where id = 1`)
        const running = backfill(db.database, table.definition)
        await one.query(`select count(*) from public.${name}`)
        await one.query('commit')
        await running
        await backfill(db.database, table.definition)
        expect((await table.stream('1')).at(-1)).toBe('Changed {"a": 1}')
        await table.expectProven()
      },
    )
  })

  describe('that only wants a share of a row (B3)', () => {
    /** An update that no key sees, still open, and a child of its row. */
    const child = async (table: string) => {
      await one.query(`begin; update public.${table} set a = 1 where id = 1`)
      const inserted = outcome(
        two.query(`set lock_timeout = '500ms'; insert into public.${table}_child values (1)`),
      )
      const seen = await inserted
      await one.query('rollback')
      return seen
    }
    const CHILD = (table: string) => `
      insert into public.${table} values (1, 0, 0, null);
      create table public.${table}_child (parent bigint references public.${table});`

    it('the naive form breaks: a trigger that locks its row lets no child in', async () => {
      await db.admin.query(`
        create table public.locking ${COUNTERS}; ${CHILD('locking')}
        create trigger "~capture" before update on public.locking for each row execute function naive.capture_locking()`)
      expect(await child('locking')).toBe('55P03')
    })

    it('gets it: capture locks no row', async () => {
      await capturedCounters(db, 'unlocked', { before: CHILD('unlocked') })
      expect(await child('unlocked')).toBe('done')
    })
  })

  describe('while another table’s capture is turned on (B10)', () => {
    it('the naive form breaks: a partition made in place waits for, and deadlocks with, writers of other tables', async () => {
      await capturedCounters(db, 'busy')
      await one.query('begin; insert into public.busy values (1, 0, 0, null)')
      const making = outcome(
        two.query(`create table public.events_naive partition of public.events for values in ('Naive')`),
      )
      await waitUntilBlocked(db.admin, pidOf(two), pidOf(one))
      // A writer of another table queues behind it.
      await db.admin.query(`set lock_timeout = '300ms'`)
      expect(
        await outcome(db.admin.query('insert into public.events select * from public.events limit 0')),
      ).toBe('55P03')
      await db.admin.query('reset lock_timeout')
      await one.query('commit')
      expect(await making).toBe('done')
    })

    it('writes on: a partition is attached beside it', async () => {
      await capturedCounters(db, 'writing')
      await one.query('begin; insert into public.writing values (1, 0, 0, null)')
      await two.query(`set lock_timeout = '2s'`)
      const other = await capturedCounters(db, 'other_table')
      expect(await outcome(one.query('update public.writing set a = 2'))).toBe('done')
      await one.query('commit')
      await db.admin.query('insert into public.other_table values (1, 0, 0, null)')
      await other.expectProven()
    })
  })
})
