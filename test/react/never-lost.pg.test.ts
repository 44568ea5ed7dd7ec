/** Events that a reactor would not get, or get twice: by what metadata say, by a reactor that is changed, by a reset. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { defineAggregate, defineTable, type Integer } from '../../src/definition/index.js'
import {
  type Dispatcher,
  defineDispatcher,
  type Reactor,
  type ReactorOptions,
  reactionWorker,
  reactor,
  resetConsumer,
} from '../../src/react/index.js'
import { readLog } from '../../src/react/read-log.js'
import { runJob } from '../../src/react/run-job.js'
import {
  type AppendedEvent,
  connectionOf,
  defineCommand,
  defineJointCommand,
  eventsOf,
  readGround,
  withContext,
  withEvents,
} from '../../src/runtime/index.js'
import { appKnex } from '../runtime/app-knex.js'
import { forgetSubscriptions } from '../runtime/reset-subscriptions.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { until } from '../support/race.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'

const Events = eventsOf(Subscription)
const EVENTS = { schema: 'public', table: 'events' }
const Deactivate = defineCommand({
  name: 'Deactivate',
  aggregate: Subscription,
  build: () => ({ type: 'Deactivated' }),
})

describe('an event reaches its reactor', () => {
  const db = testDatabase()
  const app = appKnex(db, { max: 8 })
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
  })
  beforeEach(async () => {
    await forgetSubscriptions(db.admin)
    await db.admin.query(
      'truncate eventward.consumers, eventward.reactions, eventward.reaction_order, eventward_worker._private_jobs',
    )
    await db.admin.query(`insert into public.subscriptions (id, user_id, reward_id, status, created_at)
      values (1, 7, 8, 'unpaid', now())`)
  })

  async function work(dispatcher: Dispatcher): Promise<void> {
    const worker = await reactionWorker({ url: db.url, dispatcher, aggregates: [Subscription], knex: app() })
    try {
      await worker.once()
    } finally {
      await worker.close()
    }
  }
  function noting(name: string, options: ReactorOptions = {}) {
    const seen: string[] = []
    const note = (event: AppendedEvent) => seen.push(`${event.type} v${event.version}`)
    return { seen, reactor: reactor<AppendedEvent>(name, note, options) }
  }
  const waiting = async (sessions: number) =>
    (
      await db.admin.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
    ).rowCount === sessions
  const activate = (options = {}) => Events.Activated.create(app(), { id: 1, stripe_key: 'a' }, options)
  const deactivate = (options = {}) => Deactivate.call(app(), { id: 1 }, options)

  it('though its metadata were copied from one that had its job', async () => {
    const mail = noting('mail')
    const dispatcher = defineDispatcher((on) => on(Subscription, { async: [mail.reactor] }))
    await work(dispatcher)
    const off = dispatcher.attach(app())
    const { metadata } = await activate()
    off()
    expect(metadata['enqueued']).toEqual({ Activated: ['mail'] })
    await activate({ metadata })
    await withContext(metadata, () => activate())
    const old = withEvents(app())
    await withContext(metadata, () =>
      old('subscriptions').where({ id: 1 }).update({ status: 'unpaid', activated_at: null }),
    )
    await withContext(metadata, () =>
      old('subscriptions')
        .where({ id: 1 })
        .update({ status: 'active', stripe_key: 'b', activated_at: '2020-01-01' }),
    )
    await db.admin.query(`begin; set local eventward.metadata = '{"enqueued":{"Activated":["mail"]}}';
      update public.subscriptions set status = 'active', stripe_key = 'c', activated_at = '2020-01-02'; commit`)
    await work(dispatcher)
    expect(mail.seen.sort()).toEqual([
      'Activated v2',
      'Activated v3',
      'Activated v4',
      'Activated v6',
      'Activated v7',
    ])
  })

  it('though a command wrote another one, of the same type, of another aggregate', async () => {
    await db.admin.query('create table public.trials (id bigint primary key, status text not null)')
    const Trial = defineAggregate({
      name: 'Trial',
      table: defineTable<{ id: Integer; status: string }>()({
        schema: 'public',
        name: 'trials',
        key: ['id'],
        columns: { id: { type: 'bigint', nullable: false }, status: { type: 'text', nullable: false } },
      }),
      events: { Began: { creates: true, data: ['status'] }, Activated: { set: { status: 'active' } } },
    })
    await installCapture(db.database, Trial)
    await db.admin.query(`insert into public.trials values (1, 'new')`)
    const Both = defineJointCommand({
      aggregates: { subscription: Subscription, trial: Trial },
      build: () => ({
        subscription: { type: 'Activated', data: { stripe_key: 'a' } },
        trial: { type: 'Activated' },
      }),
    })
    const [before, after] = [noting('mail'), noting('mail')]
    const older = defineDispatcher((on) => on(Subscription, { async: [before.reactor] }))
    const newer = defineDispatcher((on) => {
      on(Subscription, { async: [after.reactor] })
      on(Trial, { async: [after.reactor] })
    })
    await work(newer)
    const off = older.attach(app())
    await Both.call(app(), { subscription: { id: 1 }, trial: { id: 1 } })
    off()
    await work(newer)
    expect(after.seen).toHaveLength(2)
  })

  it('whose job waited while it came to want order', async () => {
    const [before, after] = [noting('mail'), noting('mail', { ordered: true })]
    const unordered = defineDispatcher((on) => on(Subscription, { async: [before.reactor] }))
    const ordered = defineDispatcher((on) => on(Subscription, { async: [after.reactor] }))
    await work(ordered)
    const off = unordered.attach(app())
    await activate()
    off()
    await work(ordered)
    expect(after.seen).toEqual(['Activated v2'])
  })

  it('whose turn came after it wants no order any more', async () => {
    const [before, after] = [noting('mail', { ordered: true }), noting('mail')]
    const ordered = defineDispatcher((on) => on(Subscription, { async: [before.reactor] }))
    const unordered = defineDispatcher((on) => on(Subscription, { async: [after.reactor] }))
    await work(ordered)
    await activate()
    await deactivate()
    await readLog(app(), { events: EVENTS, reactor: before.reactor as Reactor })
    await work(unordered)
    expect(after.seen).toEqual(['Activated v2', 'Deactivated v3'])
    expect((await db.admin.query('select from eventward.reaction_order')).rowCount).toBe(0)
  })

  it('once, though its place is reset while the log is read', async () => {
    const mail = noting('mail')
    const dispatcher = defineDispatcher((on) => on(Subscription, { async: [mail.reactor] }))
    await work(dispatcher)
    await activate()
    const holder = await db.client()
    await holder.query(`begin; select from eventward.consumers where name = 'mail' for update`)
    const reading = readLog(app(), { events: EVENTS, reactor: mail.reactor as Reactor })
    await until(() => waiting(1))
    const resetting = resetConsumer(app(), EVENTS, 'mail')
    await until(() => waiting(2))
    await deactivate()
    await holder.query('commit')
    await Promise.all([reading, resetting])
    await work(dispatcher)
    expect(mail.seen).toEqual(['Activated v2', 'Deactivated v3'])
  })

  it('once in a transaction, though a worker that was thought dead comes to it after it was done', async () => {
    let times = 0
    const count = () => {
      times += 1
    }
    const ledger = reactor<AppendedEvent>('ledger', count, { transaction: true })
    const dispatcher = defineDispatcher((on) => on(Subscription, { async: [ledger] }))
    await work(dispatcher)
    await activate()
    await readLog(app(), { events: EVENTS, reactor: ledger as Reactor })
    const { rows } = await db.admin.query<{ id: string; payload: string }>(
      'select id, payload from eventward_worker._private_jobs',
    )
    // Another one does it, and forgets that it did.
    await work(dispatcher)
    expect((await db.admin.query('select from eventward.reactions')).rowCount).toBe(0)
    const late = {
      knex: app(),
      dispatcher,
      ground: await app().transaction(async (trx) => readGround(await connectionOf(trx), [Subscription])),
      reactor: ledger as Reactor<AppendedEvent>,
      job: { id: rows[0]?.id ?? '', attempts: 1 },
    }
    await runJob(late, JSON.parse(rows[0]?.payload ?? '{}'))
    expect(times).toBe(1)
  })

  it('though receipts can not be dropped for a while: that is for later', async () => {
    const mail = noting('mail')
    const dispatcher = defineDispatcher((on) => on(Subscription, { async: [mail.reactor] }))
    const stop = new AbortController()
    const worker = await reactionWorker({
      url: db.url,
      dispatcher,
      knex: app(),
      pollMs: 50,
      signal: stop.signal,
    })
    await db.admin.query('alter table eventward.reactions rename to away')
    try {
      const running = worker.run()
      await activate()
      await Promise.race([running, until(() => mail.seen.length > 0)])
      expect(mail.seen).toEqual(['Activated v2'])
      stop.abort()
      await running
    } finally {
      await db.admin.query('alter table eventward.away rename to reactions')
      await worker.close()
    }
  })

  it('after two thousand million jobs as well', async () => {
    const mail = noting('mail')
    const dispatcher = defineDispatcher((on) => on(Subscription, { async: [mail.reactor] }))
    await work(dispatcher)
    const drawn = `pg_catalog.pg_get_serial_sequence('eventward_worker._private_tasks', 'id')::regclass`
    await db.admin.query(`select setval(${drawn}, 2147483646)`)
    const off = dispatcher.attach(app())
    await activate()
    await work(dispatcher)
    await activate()
    await activate()
    off()
    await work(dispatcher)
    expect(mail.seen.sort()).toEqual(['Activated v2', 'Activated v3', 'Activated v4'])
  })

  it('from another worker where one can not be seen to be alive: that one stops within seconds', async () => {
    const dispatcher = defineDispatcher((on) => on(Subscription, { async: [noting('mail').reactor] }))
    const worker = await reactionWorker({ url: db.url, dispatcher, knex: app() })
    try {
      const running = worker.run().catch((error: { code: string }) => error.code)
      await until(async () => {
        const { rowCount } = await db.admin.query(
          `select pg_terminate_backend(a.pid) from pg_stat_activity a join pg_locks l on l.pid = a.pid
           where a.datname = current_database() and l.locktype = 'advisory' and l.granted
             and a.application_name = 'eventward work (alive)'`,
        )
        return rowCount === 1
      })
      const stopped = performance.now()
      expect(await running).toBe('EW_DB_LOST')
      expect(performance.now() - stopped).toBeLessThan(15_000)
    } finally {
      await worker.close()
    }
  })
})
