import type pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { backfill, backfillAll } from '../../src/backfill/index.js'
import { openBackfill } from '../../src/backfill/open-backfill.js'
import { planChunks } from '../../src/backfill/plan-chunks.js'
import { runSlice } from '../../src/backfill/run-slice.js'
import { defineAggregate, occurredAt } from '../../src/definition/index.js'
import { testDatabase } from '../support/database.js'
import { until } from '../support/race.js'
import { createSubscriptions, Subscription, subscriptions } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

/** The same events under the same versions, meaning something else. */
const Better = defineAggregate({
  name: 'Subscription',
  table: subscriptions,
  events: {
    Created: {
      creates: true,
      data: { userId: 'user_id', rewardId: 'reward_id', paymentSourceKey: 'payment_source_key' },
      set: { status: 'unpaid', created_at: occurredAt },
    },
    Activated: { data: { stripeKey: 'stripe_key' }, set: { status: 'active', activated_at: occurredAt } },
    Deactivated: { set: { status: 'inactive', deactivated_at: occurredAt } },
  },
})

const RESTART = { restart: true, confirm: 'subscriptions' }

describe('a backfill --restart', () => {
  const db = testDatabase()
  let other: pg.Client

  beforeEach(async () => {
    other ??= await db.client()
    const { rows } = await db.admin.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where tablename like 'events\\_%'`,
    )
    for (const { name } of rows) await db.admin.query(`drop table ${name}`)
    await db.admin.query(`
      drop table if exists public.subscriptions;
      drop type if exists public.subscription_status;
      delete from eventward.runs;
      delete from eventward.definitions;
      delete from eventward.aggregates;
      ${createSubscriptions} ${manySubscriptions(1, 300)}`)
  })

  const created = async (table: string) => {
    const { rows } = await db.admin.query<{ data: string; n: string }>(
      `select (select data from ${table} where aggregate_id = '1' and version = 1) as data,
         count(distinct aggregate_id) as n
       from ${table}`,
    )
    return `${rows[0]?.n} streams, 1 is ${rows[0]?.data}`
  }
  const OLD = '300 streams, 1 is {"user_id": 1, "reward_id": 1, "payment_source_key": "pm_1"}'
  const NEW = '300 streams, 1 is {"userId": 1, "rewardId": 1, "paymentSourceKey": "pm_1"}'

  it('without consent for this very table is refused, and nothing is changed', async () => {
    await backfill(db.database, Subscription)
    for (const confirm of [undefined, 'orders', 'public.subscriptions']) {
      const options = { restart: true, ...(confirm === undefined ? {} : { confirm }) }
      await expect(backfill(db.database, Better, options)).rejects.toMatchObject({
        code: 'EW_CONFIRM',
        exitStatus: 1,
      })
    }
    expect(await created('public.events')).toBe(OLD)
  })

  it('archives the events, which stay as they were, and writes them anew under the better definition', async () => {
    await backfill(db.database, Subscription)
    await db.admin.query(`
      insert into eventward.mismatches (table_schema, table_name, aggregate_type, key, kind, first_run, last_run)
      values ('public', 'subscriptions', 'Subscription', '1', 'row_differs', 1, 1)`)
    await expect(backfill(db.database, Better)).rejects.toMatchObject({ code: 'EW_DEFINITION_CHANGED' })
    expect(await created('public.events')).toBe(OLD)

    const result = await backfill(db.database, Better, RESTART)
    expect(result).toMatchObject({ rows: '300', streams: '300', alreadyThere: '0', complete: true })
    expect(await created('public.events')).toBe(NEW)
    expect(await created('public.events_subscription')).toBe(NEW)
    expect(await created('public.events_subscription_archive_1')).toBe(OLD)
    const { rows } = await db.admin.query<{ command: string; state: string; outcome: string }>(
      'select command, state, outcome from eventward.runs order by id',
    )
    expect(rows.map(({ command, state }) => `${command} ${state}`)).toEqual([
      'backfill complete',
      'backfill --restart complete',
      'backfill complete',
    ])
    expect(JSON.parse(rows[1]?.outcome ?? '{}')).toMatchObject({
      archive: 'events_subscription_archive_1',
      definitions: expect.arrayContaining([expect.objectContaining({ type: 'Activated' })]),
    })
    const { rows: open } = await db.admin.query('select from eventward.mismatches where resolved_at is null')
    expect(open).toHaveLength(0)

    await backfill(db.database, Subscription, RESTART)
    expect(await created('public.events_subscription_archive_2')).toBe(NEW)
  })

  it('killed while the partition is being detached: an ordinary backfill refuses, the restart goes on', async () => {
    await backfill(db.database, Subscription)
    // An older transaction on the events table keeps DETACH CONCURRENTLY waiting after its first half.
    await other.query('begin')
    await other.query('select from public.events limit 1')
    const killed = backfill(db.database, Better, RESTART).catch((error: unknown) => error)
    await until(
      async () => {
        const { rows } = await db.admin.query('select from pg_inherits where inhdetachpending')
        return rows.length === 1
      },
      { what: 'the first half of the detaching' },
    )
    await db.admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and query like 'alter table%detach%'`,
    )
    expect(await killed).toMatchObject({ exitStatus: 3 })
    await other.query('commit')

    await expect(backfill(db.database, Better)).rejects.toMatchObject({
      code: 'EW_RESTART_PENDING',
      next: expect.stringContaining('--restart --confirm subscriptions'),
    })
    expect(await backfill(db.database, Better, RESTART)).toMatchObject({ streams: '300', complete: true })
    expect(await created('public.events')).toBe(NEW)
    expect(await created('public.events_subscription_archive_1')).toBe(OLD)
  })

  it.each(['detached', 'renamed'])('killed after the partition was %s, ends well too', async (step) => {
    await backfill(db.database, Subscription)
    const { rows } = await db.admin.query<{ oid: string }>(
      `select 'public.events_subscription'::regclass::oid as oid`,
    )
    await db.admin.query(
      `insert into eventward.runs (command, table_schema, table_name, aggregate_type, state, definition_hash, params)
       values ('backfill --restart', 'public', 'subscriptions', 'Subscription', 'running', '', $1)`,
      [JSON.stringify({ oid: rows[0]?.oid, archive: 'events_subscription_archive_1' })],
    )
    await db.admin.query('alter table public.events detach partition public.events_subscription')
    if (step === 'renamed') {
      await db.admin.query('alter table public.events_subscription rename to events_subscription_archive_1')
    }
    await expect(backfill(db.database, Better)).rejects.toMatchObject({ code: 'EW_RESTART_PENDING' })
    expect(await backfill(db.database, Better, RESTART)).toMatchObject({ streams: '300', complete: true })
    expect(await created('public.events')).toBe(NEW)
    expect(await created('public.events_subscription_archive_1')).toBe(OLD)
  })

  it('ends a run under the old definition, whose workers write nothing any more', async () => {
    const job = await openBackfill(db.database, Subscription, { chunkRows: 50 })
    await db.database.session((session) => planChunks(session, job))
    await db.database.session((session) => runSlice(session, job, () => 50))
    await expect(backfill(db.database, Better)).rejects.toMatchObject({
      code: 'EW_RUN_DEFINITION',
      exitStatus: 1,
      message: expect.stringContaining(`run ${job.run.id} was begun under another definition`),
    })
    expect(await backfill(db.database, Better, RESTART)).toMatchObject({ streams: '300', complete: true })
    // A worker of the old process that slept meanwhile.
    await expect(db.database.session((session) => runSlice(session, job, () => 50))).rejects.toMatchObject({
      code: 'EW_RUN_DEFINITION',
    })
    expect(await created('public.events')).toBe(NEW)
  })

  it('is of one table', async () => {
    await expect(backfillAll(db.database, [Subscription, Better], RESTART)).rejects.toMatchObject({
      code: 'EW_RESTART_MANY',
    })
  })

  it('of a table without events has nothing to archive', async () => {
    expect(await backfill(db.database, Better, RESTART)).toMatchObject({ streams: '300', complete: true })
    const { rows } = await db.admin.query(`select from pg_class where relname like 'events%archive%'`)
    expect(rows).toHaveLength(0)
  })
})
