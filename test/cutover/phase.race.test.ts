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
      const waiting = await waiter(db.admin, pid)
      await waitUntilBlocked(db.admin, waiting, pid)
      expect(ended).toBe(false)
      // Under the old phase: nothing is refused.
      await writer.query('update public.subscriptions set user_id = -1 where id = 2')
      await writer.query('commit')
      expect(await flip).toMatchObject({ ok: true, to: 'event_first' })
      expect(await phaseOf(db)).toBe('event_first')
      expect((await verify(db.database, Refusing)).table.clean).toBe(true)
    },
  )
})

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
