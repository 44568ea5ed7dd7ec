/** D2, D3, B4: commands beside legacy writers. */
import type pg from 'pg'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testDatabase } from '../support/database.js'
import { waitUntilBlocked } from '../support/race.js'
import { announce, announced } from './announce.js'
import { COUNTERS, type Counters, capturedCounters } from './counters.js'
import { installNaive } from './naive/index.js'
import { outcome, pidOf } from './outcome.js'

describe('commands and legacy writers', () => {
  const db = testDatabase()
  let one: pg.Client
  let two: pg.Client

  beforeAll(async () => {
    await installNaive(db.admin, 'capture-row')
    one = await db.client()
    two = await db.client()
    // Whoever is left waiting by a test that failed ends.
    for (const client of [one, two]) await client.query(`set statement_timeout = '15s'`)
  })
  beforeEach(async () => {
    for (const client of [one, two]) await client.query('rollback')
    await db.admin.query('truncate naive.events')
  })

  describe('commands in event_first', () => {
    let table: Counters
    const created = (id: string, a: number) => ({
      type: table.type,
      id,
      events: [{ type: 'Created', data: { a, b: a } }],
      image: { id, a: String(a), b: String(a), note: null },
    })
    const eventFirst = async (name: string, before = '') => {
      table = await capturedCounters(db, name, { before })
      await db.admin.query(`select eventward.flip($1, 'event_first')`, [table.type])
      return table
    }

    describe('that create a row which a legacy writer inserts (D2)', () => {
      it('the naive form breaks: events first, and the legacy insert is the victim of a deadlock, or the command is', async () => {
        await db.admin.query(`
          create table public.creating ${COUNTERS};
          create trigger "~capture" after insert on public.creating
          for each row when (pg_trigger_depth() = 0) execute function naive.capture_row()`)
        await one.query(`begin; select naive.append('1', 'Created', '{"a": 1}')`)
        const legacy = outcome(two.query('insert into public.creating values (1, 2, 2, null)'))
        await waitUntilBlocked(db.admin, pidOf(two), pidOf(one))
        const command = outcome(one.query('insert into public.creating values (1, 1, 1, null)'))
        expect([await legacy, await command]).toContain('40P01')
      })

      it.each(['commit', 'rollback'])(
        'the command first, then %s: the legacy insert waits for the key alone',
        async (end) => {
          await eventFirst(`created_${end}`)
          await one.query('begin')
          await announce(one, created('1', 1))
          await one.query(`insert into public.${table.name} values (1, 1, 1, null)`)
          expect(await announced(one)).toBe('')
          const legacy = outcome(two.query(`insert into public.${table.name} values (1, 2, 2, null)`))
          await waitUntilBlocked(db.admin, pidOf(two), pidOf(one))
          await one.query(end)
          expect(await legacy).toBe(end === 'commit' ? '23505' : 'done')
          expect(await table.stream('1')).toEqual([
            end === 'commit' ? 'Created {"a": 1, "b": 1}' : 'Created {"a": 2, "b": 2}',
          ])
          await table.expectProven()
        },
      )

      it.each(['commit', 'rollback'])(
        'the legacy writer first, then %s: so does the command',
        async (end) => {
          await eventFirst(`inserted_${end}`)
          await two.query(`begin; insert into public.${table.name} values (1, 2, 2, null)`)
          await one.query('begin')
          await announce(one, created('1', 1))
          const command = outcome(one.query(`insert into public.${table.name} values (1, 1, 1, null)`))
          await waitUntilBlocked(db.admin, pidOf(one), pidOf(two))
          await two.query(end)
          expect(await command).toBe(end === 'commit' ? '23505' : 'done')
          await one.query('commit')
          await table.expectProven()
        },
      )
    })

    describe('that delete a row to which children are inserted (D3)', () => {
      /** The command locks; a child comes; the parent is updated by the child's transaction; the command deletes. */
      const race = async (lock: string) => {
        await one.query(`begin; insert into public.${table.name}_child values (1)`)
        const command = (async () => {
          await two.query(`begin; select from public.${table.name} where id = 1 for ${lock}`)
          await announce(two, {
            type: table.type,
            id: '1',
            events: [{ type: 'Deleted', data: {} }],
            image: null,
          })
        })()
        return command
      }
      const CHILD = (name: string) => `
        create table public.${name}_child (parent bigint references public.${name} on delete cascade)`

      it('the naive form breaks: FOR NO KEY UPDATE lets the child in, and its writer is the victim of a deadlock', async () => {
        await eventFirst('no_key', '')
        await db.admin.query(CHILD('no_key'))
        await db.admin.query('insert into public.no_key values (1, 1, 1, null)')
        await race('no key update')
        const legacy = outcome(one.query('update public.no_key set a = 2 where id = 1'))
        await waitUntilBlocked(db.admin, pidOf(one), pidOf(two))
        const command = outcome(two.query('delete from public.no_key where id = 1'))
        expect([await legacy, await command]).toContain('40P01')
        await one.query('rollback')
        await two.query('rollback')
      })

      it('FOR UPDATE waits for the child before anything is written', async () => {
        await eventFirst('for_update', '')
        await db.admin.query(CHILD('for_update'))
        await db.admin.query('insert into public.for_update values (1, 1, 1, null)')
        const locked = race('update')
        await waitUntilBlocked(db.admin, pidOf(two), pidOf(one))
        expect(await outcome(one.query('update public.for_update set a = 2 where id = 1'))).toBe('done')
        await one.query('commit')
        await locked
        expect(await outcome(two.query('delete from public.for_update where id = 1'))).toBe('done')
        await two.query('commit')
        expect(await table.stream('1')).toEqual([
          'Created {"a": 1, "b": 1}',
          'Changed {"a": 2}',
          'Deleted {}',
        ])
        await table.expectProven()
      })
    })

    describe('beside a legacy writer of the same row (B4)', () => {
      it('the naive form breaks: events first, then the row, deadlocks with whoever takes them the other way', async () => {
        await db.admin.query(`
          create table public.rows ${COUNTERS};
          insert into public.rows values (1, 0, 0, null);
          create trigger "~capture" before update on public.rows for each row execute function naive.capture_row()`)
        await one.query(`begin; select naive.append('1', 'Changed', '{}')`)
        const legacy = outcome(two.query('update public.rows set a = 2 where id = 1'))
        await waitUntilBlocked(db.admin, pidOf(two), pidOf(one))
        const command = outcome(one.query('update public.rows set a = 1 where id = 1'))
        expect([await legacy, await command]).toContain('40P01')
      })

      it.each(['command', 'legacy'])(
        'row first: whoever comes second waits, and nothing is lost (%s first)',
        async (first) => {
          await eventFirst(`row_first_${first}`)
          await db.admin.query(`insert into public.${table.name} values (1, 0, 0, null)`)
          const command = async () => {
            await one.query(`begin; select from public.${table.name} where id = 1 for no key update`)
            const { rows } = await one.query<Record<'b', string>>(`select b from public.${table.name}`)
            await announce(one, {
              type: table.type,
              id: '1',
              events: [{ type: 'Noted', data: { note: 'by command' } }],
              image: { id: '1', a: '0', b: rows[0]?.b ?? null, note: 'by command' },
            })
            await one.query(`update public.${table.name} set note = 'by command' where id = 1`)
          }
          const legacy = () => two.query(`begin; update public.${table.name} set b = 7 where id = 1`)
          const [now, later] = first === 'command' ? [command, legacy] : [legacy, command]
          await now()
          const waiting = outcome(later())
          const [holder, waiter] = first === 'command' ? [one, two] : [two, one]
          await waitUntilBlocked(db.admin, pidOf(waiter), pidOf(holder))
          await holder.query('commit')
          expect(await waiting).toBe('done')
          await waiter.query('commit')
          expect((await table.stream('1')).toSorted()).toEqual([
            'Changed {"b": 7}',
            'Created {"a": 0, "b": 0}',
            'Noted {"note": "by command"}',
          ])
          await table.expectProven()
        },
      )
    })
  })
})
