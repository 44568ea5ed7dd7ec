/** D1, B12: snapshots that are older than a stream. */
import type pg from 'pg'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testDatabase } from '../support/database.js'
import { announce } from './announce.js'
import { COUNTERS, capturedCounters } from './counters.js'
import { installNaive, naiveStream, naiveWrong } from './naive/index.js'
import { outcome } from './outcome.js'

const LEVELS = ['read committed', 'repeatable read', 'serializable'] as const

describe('capture and older snapshots', () => {
  const db = testDatabase()
  let one: pg.Client
  let two: pg.Client

  beforeAll(async () => {
    await installNaive(db.admin, 'capture-row', 'capture-silent-insert')
    one = await db.client()
    two = await db.client()
    // Whoever is left waiting by a test that failed ends.
    for (const client of [one, two]) await client.query(`set statement_timeout = '15s'`)
  })
  beforeEach(async () => {
    for (const client of [one, two]) await client.query('rollback')
    await db.admin.query('truncate naive.events')
  })

  describe('a key that is used again while an older snapshot shows it alive (D1)', () => {
    const NAIVE = (table: string) => `
      create table public.${table} ${COUNTERS};
      create trigger "~capture" after insert on public.${table} for each row execute function naive.capture_silent_insert();
      create trigger "~capture_delete" before delete on public.${table} for each row execute function naive.capture_row()`
    /** `two` has its snapshot; the row 1 goes; `two` inserts it again. */
    const usedAgain = async (table: string, level: string) => {
      await one.query(`insert into public.${table} values (1, 1, 1, null)`)
      await two.query(`begin isolation level ${level}; select count(*) from public.${table}`)
      await one.query(`delete from public.${table} where id = 1`)
      const inserted = await outcome(two.query(`insert into public.${table} values (1, 2, 2, null)`))
      await two.query('commit')
      return inserted
    }
    /** `two` has its snapshot; the row 2 comes and goes; `two` inserts it. */
    const cameAndWent = async (table: string, level: string) => {
      await two.query(`begin isolation level ${level}; select count(*) from public.${table}`)
      await one.query(`insert into public.${table} values (2, 1, 1, null)`)
      await one.query(`delete from public.${table} where id = 2`)
      const inserted = await outcome(two.query(`insert into public.${table} values (2, 2, 2, null)`))
      await two.query('commit')
      return inserted
    }

    it('the naive form breaks: silent for a stream that is alive in its snapshot, it leaves the row without one', async () => {
      await db.admin.query(NAIVE('again'))
      expect(await usedAgain('again', 'repeatable read')).toBe('done')
      expect(await naiveStream(db.admin, '1')).toHaveLength(2)
      expect(await naiveWrong(db.admin, 'again')).toEqual(['1'])
    })

    it('the naive form breaks: a stream that came and went after its snapshot gives the application 23505', async () => {
      await db.admin.query(NAIVE('came'))
      expect(await cameAndWent('came', 'repeatable read')).toBe('23505')
    })

    it.each(LEVELS)('ends in the row that was inserted last (%s)', async (level) => {
      const table = await capturedCounters(db, `again_${level.replace(' ', '_')}`)
      expect(await usedAgain(table.name, level)).toBe('done')
      expect(await table.stream('1')).toEqual([
        'Created {"a": 1, "b": 1}',
        'Deleted {}',
        'Created {"a": 2, "b": 2}',
      ])
      expect(await cameAndWent(table.name, level)).toBe('done')
      expect(await table.stream('2')).toEqual([
        'Created {"a": 1, "b": 1}',
        'Deleted {}',
        'Created {"a": 2, "b": 2}',
      ])
      await table.expectProven()
    })

    it.each(LEVELS)('writes on in the same transaction, after its own creation (%s)', async (level) => {
      const table = await capturedCounters(db, `on_${level.replace(' ', '_')}`)
      await two.query(`begin isolation level ${level}; select count(*) from public.${table.name}`)
      for (let round = 1; round <= 3; round += 1) {
        await one.query(`insert into public.${table.name} values (2, ${round}, 1, null)`)
        await one.query(`delete from public.${table.name} where id = 2`)
      }
      await two.query(`insert into public.${table.name} values (2, 9, 9, null)`)
      await two.query(`update public.${table.name} set a = 10, note = 'n' where id = 2`)
      await two.query(`savepoint s; delete from public.${table.name} where id = 2; rollback to s`)
      await two.query(
        `update public.${table.name} set id = 3 where id = 2; insert into public.${table.name} values (2, 1, 1, null); commit`,
      )
      expect((await table.stream('2')).slice(6)).toEqual([
        'Created {"a": 9, "b": 9}',
        'Noted {"note": "n"}',
        'Changed {"a": 10}',
        'Deleted {}',
        'Created {"a": 1, "b": 1}',
      ])
      await table.expectProven()
    })

    it.each(LEVELS)(
      'TRUNCATE between two inserts of one transaction is an event of it (%s)',
      async (level) => {
        const table = await capturedCounters(db, `cut_${level.replace(' ', '_')}`)
        await two.query(
          `begin isolation level ${level}; insert into public.${table.name} values (1, 1, 1, null)`,
        )
        await two.query(
          `truncate public.${table.name}; insert into public.${table.name} values (1, 2, 2, null); commit`,
        )
        expect(await table.stream('1')).toEqual([
          'Created {"a": 1, "b": 1}',
          'Deleted {}',
          'Created {"a": 2, "b": 2}',
        ])
      },
    )
  })

  describe('an append that leaves the row alone (B12)', () => {
    it('the naive form breaks: an older snapshot takes the version that is taken', async () => {
      await db.admin.query(`
        create table public.repaired ${COUNTERS};
        insert into public.repaired values (1, 0, 0, null);
        create trigger "~capture" before update on public.repaired for each row execute function naive.capture_row();
        select naive.append('1', 'Created', '{}')`)
      await two.query('begin isolation level repeatable read; select count(*) from public.repaired')
      await one.query(`select naive.append('1', 'Changed', '{}')`)
      expect(await outcome(two.query('update public.repaired set a = 1'))).toBe('23505')
    })

    it('whoever also writes the row gives the older snapshot an ordinary serialization failure', async () => {
      const table = await capturedCounters(db, 'repaired_ours')
      await one.query('insert into public.repaired_ours values (1, 0, 0, null)')
      await two.query('begin isolation level repeatable read; select count(*) from public.repaired_ours')
      await one.query('begin')
      await announce(one, {
        type: table.type,
        id: '1',
        events: [{ type: 'Noted', data: { note: null } }],
        image: { id: '1', a: '0', b: '0', note: null },
      })
      await one.query('update public.repaired_ours set id = id where id = 1; commit')
      expect(await table.stream('1')).toEqual(['Created {"a": 0, "b": 0}', 'Noted {"note": null}'])
      expect(await outcome(two.query('update public.repaired_ours set a = 1'))).toBe('40001')
      await two.query('rollback')
      await table.expectProven()
    })
  })
})
