/** The shim beside others: a backfill, older snapshots, writers of the same rows. Each in both orders. */
import type { Knex } from 'knex'
import type pg from 'pg'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { withEvents } from '../../src/runtime/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { until, waitUntilBlocked } from '../support/race.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'
import { appKnex } from './app-knex.js'
import { forgetSubscriptions } from './reset-subscriptions.js'

const T = 'subscriptions'
const row = (id: number, more: object = {}) => ({
  id,
  user_id: 1,
  reward_id: 2,
  status: 'unpaid',
  created_at: '2020-01-01Z',
  ...more,
})

describe('the shim', () => {
  const db = testDatabase()
  const app = appKnex(db, { max: 8 })
  let knex: Knex
  let other: pg.Client

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await backfill(db.database, Subscription)
    knex = withEvents(app(), { aggregates: [{ aggregate: Subscription, capture: 'shim' }] })
    other = await db.client()
  })

  beforeEach(async () => {
    await forgetSubscriptions(db.admin)
    await db.admin.query(insertSubscriptions)
  })

  /** A test that fails must not keep the next one waiting. */
  const begun: Knex.Transaction[] = []
  const begin = async (config: Knex.TransactionConfig = {}) => {
    const trx = await knex.transaction(config)
    begun.push(trx)
    return trx
  }

  afterEach(async () => {
    for (const trx of begun.splice(0)) if (!trx.isCompleted()) await trx.rollback()
    await other.query('rollback')
    for (const engine of ['sql', 'replay'] as const) {
      expect((await verify(db.database, Subscription, { engine })).differences).toEqual([])
    }
  })

  const stream = async (id: string) => {
    const { rows } = await db.admin.query<Record<'event', string>>(
      `select concat_ws(' ', version, type, metadata ->> 'source') as event
       from public.events where aggregate_id = $1 order by version`,
      [id],
    )
    return rows.map(({ event }) => event)
  }
  const otherPid = () => String((other as unknown as { processID: number }).processID)
  const someoneWaitsFor = (pid: string) =>
    until(
      async () => {
        const { rows } = await db.admin.query(
          `select from pg_stat_activity where $1::integer = any (pg_blocking_pids(pid))`,
          [pid],
        )
        return rows.length > 0
      },
      { what: `someone to wait for ${pid}` },
    )
  /** What a backfill's slice inserts, held open. */
  const FIRST = `insert into public.events (aggregate_type, aggregate_id, version, type, data, metadata, occurred_at)
    select 'Subscription', '12', n, type, data::jsonb, '{"source":"backfill"}', '2018-02-01Z'
    from (values (1, 'Created', '{"user_id": 123, "reward_id": 234, "payment_source_key": "pm_1"}'),
      (2, 'Activated', '{"stripe_key": "sub_66123"}')) v (n, type, data)`

  it('a row changed while its chunk is backfilled has one stream: the backfill was first', async () => {
    await other.query('begin')
    await other.query(FIRST)
    const write = knex(T).where({ id: 12 }).update({ reward_id: 1 }).then(Number)
    await someoneWaitsFor(otherPid())
    await other.query('commit')
    expect(await write).toBe(1)
    expect(await stream('12')).toEqual(['1 Created backfill', '2 Activated backfill', '3 Changed shim'])
    await backfill(db.database, Subscription)
  })

  it('a row changed while its chunk is backfilled has one stream: the shim was first', async () => {
    const trx = await begin()
    await trx(T).where({ id: 12 }).update({ reward_id: 1 })
    const slice = other.query(`${FIRST} on conflict do nothing returning version`)
    await waitUntilBlocked(db.admin, otherPid())
    await trx.commit()
    expect((await slice).rows).toEqual([])
    expect(await stream('12')).toEqual(['1 Created shim', '2 Activated shim', '3 Changed shim'])
    await knex(T).where({ id: 13 }).update({ reward_id: 1 })
  })

  it('a snapshot older than the backfill finds the next version, and its write goes on (B1)', async () => {
    const trx = await begin({ isolationLevel: 'repeatable read' })
    await trx(T).first()
    await backfill(db.database, Subscription)
    await trx(T).where({ id: 12 }).update({ reward_id: 1 })
    await trx.commit()
    expect(await stream('12')).toEqual(['1 Created backfill', '2 Activated backfill', '3 Changed shim'])
  })

  it('a key used again under an older snapshot ends alive (D1)', async () => {
    await backfill(db.database, Subscription)
    const trx = await begin({ isolationLevel: 'repeatable read' })
    await trx(T).first()
    await knex(T).where({ id: 12 }).delete()
    await trx(T).insert(row(12))
    await trx.commit()
    expect((await stream('12')).slice(2)).toEqual(['3 Deleted shim', '4 Created shim'])
  })

  it('an upsert of a row that another is inserting sees it as it was', async () => {
    await backfill(db.database, Subscription)
    await other.query('begin')
    await other.query(
      `insert into public.subscriptions values (60, 7, 7, null, 'unpaid', null, '2020-01-01Z')`,
    )
    const upsert = knex(T)
      .insert([row(60, { reward_id: 9 }), row(61)])
      .onConflict('id')
      .merge(['reward_id'])
      .then()
    await someoneWaitsFor(otherPid())
    await other.query('commit')
    await upsert
    expect(await stream('60')).toEqual(['1 Created shim', '2 Changed shim'])
    expect(await stream('61')).toEqual(['1 Created shim'])
  })

  it('eight connections on one row lose no update, and leave no gap between versions', async () => {
    await backfill(db.database, Subscription)
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let n = 0; n < 20; n += 1) await knex(T).where({ id: 12 }).increment('reward_id', 1)
      }),
    )
    expect(await knex(T).where({ id: 12 }).pluck('reward_id')).toEqual([String(234 + 160)])
    expect(await stream('12')).toHaveLength(2 + 160)
  })

  it('an update whose rows another has moved away in the meantime touches what it finds then, and sees it', async () => {
    await backfill(db.database, Subscription)
    const trx = await begin()
    await trx(T).where({ id: 12 }).update({ status: 'inactive', deactivated_at: '2021-01-01Z' })
    const write = knex(T)
      .where({ status: 'active' })
      .orWhere({ id: 13 })
      .update({ reward_id: 5 })
      .then(Number)
    await until(async () => {
      const { rows } = await db.admin.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      )
      return rows.length > 0
    })
    await trx.commit()
    expect(await write).toBe(1)
    expect((await stream('12')).slice(2)).toEqual(['3 Deactivated shim'])
    expect((await stream('13')).at(-1)).toContain('Changed shim')
  })
})
