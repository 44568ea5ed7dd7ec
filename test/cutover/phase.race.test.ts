/** A6: no write is made under a phase that has passed, whatever its isolation level or the age of its snapshot. */
import { beforeEach, describe, expect, it } from 'vitest'
import { advance, rollback } from '../../src/cutover/index.js'
import { defineAggregate, occurredAt } from '../../src/definition/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { backendPid, waitUntilBlocked } from '../support/race.js'
import { subscriptions } from '../support/subscription.js'
import { forget, phaseOf, provenSubscriptions } from './proven-table.js'

/** In event_first, old code that still writes rows directly is refused: so a write tells its phase. */
const Refusing = defineAggregate({
  name: 'Subscription',
  table: subscriptions,
  directWrites: 'refuse',
  events: {
    Created: {
      creates: true,
      data: ['user_id', 'reward_id', 'payment_source_key'],
      set: { status: 'unpaid', created_at: occurredAt },
    },
    Activated: { data: ['stripe_key'], set: { status: 'active', activated_at: occurredAt } },
    Deactivated: { set: { status: 'inactive', deactivated_at: occurredAt } },
  },
})

const ISOLATIONS = ['read committed', 'repeatable read', 'serializable'] as const

describe('a phase that is a flag in a table (the naive form)', () => {
  const db = testDatabase()

  it('is read by an older snapshot after the flip, though the flip held ACCESS EXCLUSIVE', async () => {
    await db.admin.query(`
      create table public.flag (phase text);
      insert into public.flag values ('dual_write');
      create table public.written (id int primary key, phase text);
      create function public.note_phase() returns trigger language plpgsql as
        $$ begin new.phase = (select phase from public.flag); return new; end $$;
      create trigger note before insert on public.written for each row execute function public.note_phase()`)
    const writer = await db.client()
    await writer.query('begin isolation level repeatable read; select 1')
    await writer.query('select count(*) from pg_class')
    await db.admin.query(`
      begin;
      lock table public.written in access exclusive mode;
      update public.flag set phase = 'event_first';
      commit`)
    await writer.query('insert into public.written (id) values (1); commit')
    const { rows } = await db.admin.query('select phase from public.written')
    expect(rows, 'written under the phase that had passed').toEqual([{ phase: 'dual_write' }])
  })
})

describe('a phase', () => {
  const db = testDatabase()
  let slug = ''
  beforeEach(async () => {
    await forget(db)
    await provenSubscriptions(db, 10, Refusing)
    slug = (await db.admin.query<{ slug: string }>('select slug from eventward.captures')).rows[0]?.slug ?? ''
  })

  it.each(ISOLATIONS)(
    'that was flipped is the one of a writer with an older snapshot (%s)',
    async (level) => {
      const writer = await db.client()
      await writer.query(`begin isolation level ${level}`)
      await writer.query('select count(*) from public.subscriptions')
      expect((await advance(db.database, Refusing)).ok).toBe(true)
      const { rows } = await writer.query(`select eventward."phase_${slug}"() as phase`)
      expect(rows).toEqual([{ phase: 'event_first' }])
      await expect(
        writer.query('update public.subscriptions set user_id = 0 where id = 1'),
      ).rejects.toMatchObject({ code: 'EW010' })
      await writer.query('rollback')
    },
  )

  it.each(ISOLATIONS)(
    'that was flipped back lets a writer with an older snapshot through (%s)',
    async (level) => {
      await advance(db.database, Refusing)
      const writer = await db.client()
      await writer.query(`begin isolation level ${level}`)
      await writer.query('select count(*) from public.subscriptions')
      expect((await rollback(db.database, Refusing)).ok).toBe(true)
      await writer.query('update public.subscriptions set user_id = 0 where id = 1')
      await writer.query('commit')
      expect((await verify(db.database, Refusing)).table.clean).toBe(true)
    },
  )

  it.each(ISOLATIONS)(
    'is flipped once a writer that is at work has ended, and not before (%s)',
    async (level) => {
      const writer = await db.client()
      const pid = await backendPid(writer)
      await writer.query(`begin isolation level ${level}`)
      await writer.query('update public.subscriptions set user_id = 0 where id = 1')
      let ended = false
      const flip = advance(db.database, Refusing, { lockTimeoutMs: 20_000 }).finally(() => {
        ended = true
      })
      const waiting = await Promise.race([waiter(db.admin, pid), endedEarly(flip)])
      await waitUntilBlocked(db.admin, waiting, pid)
      expect(ended).toBe(false)
      // Under the old phase: nothing is refused.
      await writer.query('update public.subscriptions set user_id = -1 where id = 2')
      await writer.query('commit')
      const flipped = await flip
      expect(flipped, JSON.stringify(flipped)).toMatchObject({ ok: true, to: 'event_first' })
      expect(await phaseOf(db)).toBe('event_first')
      expect((await verify(db.database, Refusing)).table.clean).toBe(true)
    },
  )

  it.each(ISOLATIONS)(
    'that is flipped to and fro costs a writer with an older snapshot no error, nor a repair (B12, %s)',
    async (level) => {
      const writer = await db.client()
      const look = async () => {
        await writer.query(`begin isolation level ${level}`)
        await writer.query('select count(*) from public.subscriptions')
      }
      // A flip writes no event: what the writer meets is the stream as its snapshot has it.
      await look()
      await advance(db.database, Refusing)
      await rollback(db.database, Refusing)
      await writer.query('update public.subscriptions set user_id = -1 where id = 1')
      await writer.query('insert into public.subscriptions select 90, 1, 1, null, $1, null, now()', [
        'unpaid',
      ])
      await writer.query('delete from public.subscriptions where id = 2')
      await writer.query('commit')
      expect((await verify(db.database, Refusing)).table.clean).toBe(true)
    },
  )
})

describe('an append that leaves the row alone (B12, the naive form)', () => {
  const db = testDatabase()

  it('gives a REPEATABLE READ writer with an older snapshot a duplicate key, unless the row was written as well', async () => {
    await db.admin.query(`
      create table public.item (id int primary key, v int);
      create table public.log (id int, version int, primary key (id, version));
      insert into public.item values (1, 0), (2, 0);
      insert into public.log values (1, 1), (2, 1);
      create function public.append() returns trigger language plpgsql as $$ begin
        insert into public.log select new.id, 1 + max(version) from public.log where id = new.id; return new; end $$;
      create trigger append before update on public.item for each row execute function public.append()`)
    const writer = await db.client()
    const write = async (id: number) => {
      await writer.query('begin isolation level repeatable read; select 1 from public.item')
      await db.admin.query(`
        begin; select from public.item where id = ${id} for no key update;
        insert into public.log values (${id}, 2)${id === 2 ? '; alter table public.item disable trigger append; update public.item set v = v where id = 2; alter table public.item enable trigger append' : ''}; commit`)
      try {
        await writer.query(`update public.item set v = 1 where id = ${id}`)
        return 'written'
      } catch (error) {
        return (error as { code: string }).code
      } finally {
        await writer.query('rollback')
      }
    }
    expect(await write(1)).toBe('23505')
    expect(await write(2), 'an ordinary serialization failure').toBe('40001')
  })
})

/** A flip that ends while its table is in use says what it did in place of waiting. */
async function endedEarly(flip: Promise<unknown>): Promise<never> {
  const outcome = await flip
  expect.fail(`ended before the writer: ${JSON.stringify(outcome)}`)
}

/** The session that waits for this one. */
async function waiter(admin: import('pg').Client, by: string): Promise<string> {
  for (;;) {
    const { rows } = await admin.query<{ pid: string }>(
      'select pid from pg_stat_activity where $1::integer = any (pg_blocking_pids(pid))',
      [by],
    )
    if (rows[0] !== undefined) return rows[0].pid
  }
}
