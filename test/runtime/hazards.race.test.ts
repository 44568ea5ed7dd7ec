/**
 * What broke earlier forms of a command. Beside each promise stands the naive form, and that it breaks: a test that could
 * not be red proves nothing.
 */
import type pg from 'pg'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { defineAggregate, occurredAt } from '../../src/definition/index.js'
import { defineCommand } from '../../src/runtime/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { backendPid, type Gate, gate, until, waitUntilBlocked } from '../support/race.js'
import { createSubscriptions, subscriptions } from '../support/subscription.js'
import { appKnex } from './app-knex.js'
import { resetSubscriptions } from './reset-subscriptions.js'
import { schema } from './schema.js'

const Subscription = defineAggregate({
  name: 'Subscription',
  table: subscriptions,
  events: {
    Created: {
      creates: true,
      data: ['user_id', 'reward_id', 'payment_source_key'],
      set: { status: 'unpaid', created_at: occurredAt },
    },
    Activated: { data: ['stripe_key'], set: { status: 'active', activated_at: occurredAt } },
    Noted: { facts: { text: schema<string & object>() } },
  },
})

describe('a command beside writers who know nothing of it', () => {
  const db = testDatabase()
  const app = appKnex(db)
  let legacy: pg.Client
  let other: pg.Client
  let stop: Gate | null = null

  beforeAll(async () => {
    await db.admin.query(`${createSubscriptions}
      create table public.notes (
        id bigint primary key,
        subscription_id bigint not null references public.subscriptions on delete cascade
      )`)
    await installCapture(db.database, Subscription)
    await db.admin.query(`begin; lock table public.subscriptions in share row exclusive mode;
      select eventward.install_triggers('Subscription', 'event_first'); commit`)
    legacy = await db.client()
    other = await db.client()
  })

  beforeEach(async () => {
    await resetSubscriptions(db.admin)
    stop = null
  })

  const held = async () => {
    await stop?.pass()
  }
  const Activate = defineCommand({
    name: 'Activate',
    aggregate: Subscription,
    build: async () => {
      await held()
      return { type: 'Activated', data: { stripe_key: 'command' } }
    },
  })
  const Create = defineCommand({
    name: 'Create',
    aggregate: Subscription,
    creates: true,
    build: () => ({ type: 'Created', data: { user_id: 1, reward_id: 2, payment_source_key: null } }),
  })
  const Remove = defineCommand({
    name: 'Remove',
    aggregate: Subscription,
    deletes: true,
    several: true,
    build: async () => {
      await held()
      return []
    },
  })
  const Note = defineCommand({
    name: 'Note',
    aggregate: Subscription,
    build: () => ({ type: 'Noted', facts: { text: 'called' as string & object } }),
  })

  const stream = async (id: string) => {
    const { rows } = await db.admin.query<Record<'event', string>>(
      `select concat_ws(' ', version, type, metadata ->> 'source') as event
       from public.events where aggregate_id = $1 order by version`,
      [id],
    )
    return rows.map(({ event }) => event)
  }
  const clean = async () => {
    for (const engine of ['sql', 'replay'] as const) {
      expect((await verify(db.database, Subscription, { engine })).differences).toEqual([])
    }
  }
  /** Waits until some session that is not `by` waits for a lock of `by`. */
  const waiterOf = async (by: pg.Client) => {
    const pid = await backendPid(by)
    await until(
      async () => {
        const { rows } = await db.admin.query(
          `select from pg_stat_activity where $1::integer = any (pg_blocking_pids(pid))`,
          [pid],
        )
        return rows.length > 0
      },
      { what: 'someone to wait' },
    )
  }
  const settled = async (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: unknown) => (error as { code?: string }).code,
    )
  const append = (id: string, type: string) => `
    insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
    select 'Subscription', '${id}', coalesce(max(version), 0) + 1, '${type}',
      case '${type}' when 'Activated' then '{"stripe_key": "naive"}'::jsonb else '{}'::jsonb end, clock_timestamp()
    from public.events where aggregate_type = 'Subscription' and aggregate_id = '${id}'`

  describe('an update of the same row (B4)', () => {
    it('the naive form, append first, then write the row: one of the two is killed', async () => {
      await other.query('begin')
      await other.query(append('12', 'Activated'))
      await legacy.query('begin')
      const write = settled(legacy.query('update public.subscriptions set reward_id = 1 where id = 12'))
      await waitUntilBlocked(db.admin, await pidOf(legacy), await pidOf(other))
      const row = settled(other.query(`update public.subscriptions set stripe_key = 'naive' where id = 12`))
      const outcomes = [await write, await row]
      await legacy.query('rollback')
      await other.query('rollback')
      expect(outcomes).toContain('40P01')
    })

    it('the command first: the writer waits for the row, and both are kept', async () => {
      stop = gate()
      const command = Activate.call(app(), { id: 12 })
      await stop.entered
      const write = settled(legacy.query('update public.subscriptions set reward_id = 1 where id = 12'))
      await waitUntilBlocked(db.admin, await pidOf(legacy))
      stop.open()
      await command
      expect(await write).toBe('done')
      expect((await stream('12')).slice(2)).toEqual(['3 Activated command', '4 Changed trigger'])
      await clean()
    })

    it('the writer first: the command waits, and decides upon what was written', async () => {
      await legacy.query('begin')
      await legacy.query('update public.subscriptions set reward_id = 1 where id = 12')
      const command = Activate.call(app(), { id: 12 })
      await waiterOf(legacy)
      await legacy.query('commit')
      expect((await command)?.version).toBe(4)
      expect((await stream('12')).slice(2)).toEqual(['3 Changed trigger', '4 Activated command'])
      await clean()
    })
  })

  describe('an insert of the same key (D2)', () => {
    const INSERT = `insert into public.subscriptions (id, user_id, reward_id, status, created_at)
      values (50, 9, 9, 'unpaid', '2020-01-01Z')`

    it('the naive form, append first, then insert: one of the two is killed', async () => {
      await other.query('begin')
      await other.query(append('50', 'Created'))
      await legacy.query('begin')
      const write = settled(legacy.query(INSERT))
      await waitUntilBlocked(db.admin, await pidOf(legacy), await pidOf(other))
      const row = settled(other.query(INSERT))
      const outcomes = [await write, await row]
      await legacy.query('rollback')
      await other.query('rollback')
      expect(outcomes).toContain('40P01')
    })

    it('the command first: the writer gets the duplicate key that it would have got without us', async () => {
      const trx = await app().transaction()
      expect(await Create.call(trx, { id: 50 })).toMatchObject({ version: 1 })
      const write = legacy.query(INSERT).catch((error: unknown) => error)
      await waitUntilBlocked(db.admin, await pidOf(legacy))
      await trx.commit()
      expect(await write).toMatchObject({ code: '23505', constraint: 'subscriptions_pkey' })
      expect(await stream('50')).toEqual(['1 Created command'])
      await clean()
    })

    it('the writer first: the command gets it', async () => {
      await legacy.query('begin')
      await legacy.query(INSERT)
      const command = Create.call(app(), { id: 50 }).catch((error: unknown) => error)
      await waiterOf(legacy)
      await legacy.query('commit')
      expect(await command).toMatchObject({ code: '23505', constraint: 'subscriptions_pkey' })
      expect(await stream('50')).toEqual(['1 Created trigger'])
      await clean()
    })
  })

  describe('a child of a row that is removed (D3)', () => {
    it('the naive form, locked as for a change: one of the two is killed', async () => {
      await legacy.query('begin')
      await legacy.query('insert into public.notes values (1, 12)')
      await other.query('begin')
      await other.query('select from public.subscriptions where id = 12 for no key update')
      await other.query(append('12', 'Deleted'))
      const write = settled(legacy.query('update public.subscriptions set reward_id = 1 where id = 12'))
      await waitUntilBlocked(db.admin, await pidOf(legacy), await pidOf(other))
      const removal = settled(other.query('delete from public.subscriptions where id = 12'))
      const outcomes = [await write, await removal]
      await legacy.query('rollback')
      await other.query('rollback')
      expect(outcomes).toContain('40P01')
    })

    it('the writer first: the command waits before it does anything', async () => {
      await legacy.query('begin')
      await legacy.query('insert into public.notes values (1, 12)')
      const command = Remove.call(app(), { id: 12 })
      await waiterOf(legacy)
      await legacy.query('update public.subscriptions set reward_id = 1 where id = 12')
      await legacy.query('commit')
      expect((await command)?.map(({ type }) => type)).toEqual(['Deleted'])
      expect((await stream('12')).slice(2)).toEqual(['3 Changed trigger', '4 Deleted command'])
      await clean()
    })

    it('the command first: the writer gets the missing parent that it would have got without us', async () => {
      stop = gate()
      const command = Remove.call(app(), { id: 12 })
      await stop.entered
      const write = settled(legacy.query('insert into public.notes values (1, 12)'))
      await waitUntilBlocked(db.admin, await pidOf(legacy))
      stop.open()
      await command
      expect(await write).toBe('23503')
      await clean()
    })
  })

  describe('an event that sets nothing (D4)', () => {
    const older = async () => {
      await legacy.query('begin isolation level repeatable read')
      await legacy.query('select from public.subscriptions')
    }
    const update = () =>
      legacy.query(
        `update public.subscriptions set status = 'active', activated_at = '2021-01-01Z', stripe_key = 'l' where id = 13`,
      )

    it('the naive form, append and leave the row alone: an older snapshot meets a duplicate key of ours', async () => {
      await older()
      await other.query(append('13', 'Noted'))
      await expect(update()).rejects.toMatchObject({ code: '23505', table: 'events_subscription' })
      await legacy.query('rollback')
    })

    it('the command first: an older snapshot meets an ordinary serialization failure', async () => {
      await older()
      const event = await Note.call(app(), { id: 13 })
      expect(event).toMatchObject({ type: 'Noted', data: { text: 'called' } })
      await expect(update()).rejects.toMatchObject({ code: '40001' })
      await legacy.query('rollback')
      await clean()
    })

    it('the writer first: the command waits, and appends after it', async () => {
      await older()
      await update()
      const command = Note.call(app(), { id: 13 })
      await waiterOf(legacy)
      await legacy.query('commit')
      expect((await command)?.version).toBe((await stream('13')).length)
      expect((await stream('13')).slice(-2)).toEqual([
        expect.stringContaining('Activated trigger'),
        expect.stringContaining('Noted command'),
      ])
      await clean()
    })
  })

  describe('a phase that changes (A6)', () => {
    const flip = (to: string) => `select eventward.install_triggers('Subscription', '${to}')`

    it('a command waits for the change under way, and acts by the new phase, though its snapshot is older', async () => {
      const trx = await app().transaction({ isolationLevel: 'repeatable read' })
      // Its snapshot is taken, and the table not locked.
      await trx('notes').first()
      await other.query('begin; lock table public.subscriptions in access exclusive mode')
      await other.query(`select eventward.remove_triggers('Subscription')`)
      const command = Activate.call(trx, { id: 12 }).catch((error: unknown) => error)
      await waiterOf(other)
      await other.query('commit')
      expect(await command).toMatchObject({ code: 'EW_NOT_CAPTURED' })
      await trx.rollback()
      await db.admin.query(`begin; lock table public.subscriptions in share row exclusive mode;
        ${flip('event_first')}; commit`)
    })

    it('a change waits for the command under way', async () => {
      stop = gate()
      const command = Activate.call(app(), { id: 12 })
      await stop.entered
      const change = other.query(`begin; lock table public.subscriptions in share row exclusive mode;
        ${flip('dual_write')}; commit`)
      await waitUntilBlocked(db.admin, await pidOf(other))
      stop.open()
      await command
      await change
      await clean()
    })
  })

  const pidOf = (client: pg.Client): Promise<string> =>
    Promise.resolve(String((client as unknown as { processID: number }).processID))
})
