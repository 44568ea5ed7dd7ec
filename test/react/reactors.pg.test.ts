/** Who reacts to an event, when, and how often. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type Dispatcher,
  defineDispatcher,
  discardJobs,
  everything,
  failedJobs,
  type ReactorOptions,
  reactionWorker,
  reactor,
  reactorStatus,
  retryJobs,
  type WorkerEvent,
} from '../../src/react/index.js'
import { type AppendedEvent, defineCommand, eventsOf, withContext } from '../../src/runtime/index.js'
import { appKnex } from '../runtime/app-knex.js'
import { forgetSubscriptions } from '../runtime/reset-subscriptions.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'

const Events = eventsOf(Subscription)
const Activate = defineCommand({
  name: 'Activate',
  aggregate: Subscription,
  noop: (state) => state.status === 'active',
  build: (_, __, { now }) => ({ type: 'Activated', data: { stripe_key: `sub_${now.slice(0, 4)}` } }),
})
const Deactivate = defineCommand({
  name: 'Deactivate',
  aggregate: Subscription,
  noop: (state) => state.status === 'inactive',
  build: () => ({ type: 'Deactivated' }),
})

describe('a reactor', () => {
  const db = testDatabase()
  const app = appKnex(db, { max: 8 })
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query('create table public.written (reactor text, what text)')
    await installCapture(db.database, Subscription)
  })
  beforeEach(async () => {
    await forgetSubscriptions(db.admin)
    await db.admin.query(`
      truncate eventward.consumers, eventward.reactions, eventward.reaction_order, eventward_worker._private_jobs;
      truncate public.written`)
  })

  const insert = (...ids: readonly number[]) =>
    db.admin.query(
      `insert into public.subscriptions (id, user_id, reward_id, status, created_at)
       select id, 7, 8, 'unpaid', now() from unnest($1::bigint[]) id`,
      [ids],
    )
  /** Does what is there to do, once, and says what happened. */
  async function work(dispatcher: Dispatcher): Promise<readonly WorkerEvent[]> {
    const happened: WorkerEvent[] = []
    const options = { url: db.url, dispatcher, aggregates: [Subscription], knex: app(), concurrency: 2 }
    const worker = await reactionWorker({ ...options, on: (one) => happened.push(one) })
    try {
      await worker.once()
    } finally {
      await worker.close()
    }
    return happened
  }
  /** A reactor that notes what it is given, and fails as often as it is told to. */
  function noting(name: string, options: ReactorOptions & { readonly failures?: number } = {}) {
    const seen: string[] = []
    let failures = options.failures ?? 0
    const handle = (event: AppendedEvent, { attempt }: { readonly attempt: number }) => {
      if (failures > 0) {
        failures -= 1
        throw new Error('the mail server is away')
      }
      seen.push(`${event.type} ${event.id} v${event.version}${attempt > 1 ? ` try ${attempt}` : ''}`)
    }
    return { seen, reactor: reactor<AppendedEvent>(name, handle, options) }
  }
  const untouched = async (id: number) =>
    (await db.admin.query('select status from public.subscriptions where id = $1', [id])).rows

  it('in the transaction of an event can undo it', async () => {
    await insert(1)
    const dispatcher = defineDispatcher((on) => {
      on(Events.Activated, {
        trigger: [
          async (event, { trx }) =>
            trx.raw('insert into public.written values (?, ?)', ['t', event.stripe_key]),
          () => {
            throw new Error('not today')
          },
        ],
      })
    })
    const off = dispatcher.attach(app())
    await expect(Activate.call(app(), { id: 1 })).rejects.toThrow('not today')
    off()
    expect(await untouched(1)).toEqual([{ status: 'unpaid' }])
    expect((await db.admin.query('select from public.written')).rowCount).toBe(0)
    expect((await db.admin.query(`select from public.events where type = 'Activated'`)).rowCount).toBe(0)
    await Activate.call(app(), { id: 1 })
    expect(await untouched(1)).toEqual([{ status: 'active' }])
  })

  it('that throws leaves nothing, also where the transaction is the caller’s, who catches it', async () => {
    await insert(1, 2)
    const dispatcher = defineDispatcher((on) => {
      on(Events.Activated, {
        async: [noting('mail').reactor],
        trigger: [
          () => {
            throw new Error('not today')
          },
        ],
      })
    })
    const off = dispatcher.attach(app())
    const caught = app().transaction(async (trx) => {
      await Activate.call(trx, { id: 1 }).catch(() => undefined)
    })
    await caught.catch(() => undefined)
    expect(await untouched(1)).toEqual([{ status: 'unpaid' }])
    expect((await db.admin.query(`select from public.events where type = 'Activated'`)).rowCount).toBe(0)
    await app().transaction(async (trx) => {
      const nested = trx.transaction((inner) => Activate.call(inner, { id: 1 }))
      await nested.catch(() => undefined)
      await trx('subscriptions').where({ id: 2 }).update({ stripe_key: 'kept' })
    })
    off()
    expect(await untouched(1)).toEqual([{ status: 'unpaid' }])
    const { rows } = await db.admin.query('select stripe_key from public.subscriptions where id = 2')
    expect(rows).toEqual([{ stripe_key: 'kept' }])
  })

  it('has its job if and only if the event is there, and is called once', async () => {
    await insert(1, 2)
    const confirm = noting('confirm')
    const dispatcher = defineDispatcher((on) => {
      on(Events.Activated, { async: [confirm.reactor] })
      on([Events.Activated, Events.Deactivated], { async: [confirm.reactor] })
    })
    await work(dispatcher)
    const off = dispatcher.attach(app())
    await Activate.call(app(), { id: 1 })
    const undone = app().transaction(async (trx) => {
      await Activate.call(trx, { id: 2 })
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    const { rows } = await db.admin.query(
      `select metadata -> 'enqueued' as enqueued from public.events where type = 'Activated'`,
    )
    expect(rows).toEqual([{ enqueued: '{"Activated": ["confirm"]}' }])
    expect((await db.admin.query('select from eventward_worker._private_jobs')).rowCount).toBe(1)
    const happened = await work(dispatcher)
    off()
    expect(confirm.seen).toEqual(['Activated 1 v2'])
    expect(happened.map(({ kind }) => kind)).toEqual(['done'])
    await work(dispatcher)
    expect(confirm.seen).toHaveLength(1)
  })

  it('gets what old code wrote, once, from the moment on at which a worker knew it', async () => {
    await insert(1)
    const welcome = noting('welcome')
    const dispatcher = defineDispatcher((on) => on(Events.Created, { async: [welcome.reactor] }))
    await work(dispatcher)
    await insert(2, 3)
    expect(await work(dispatcher)).toContainEqual({ kind: 'enqueued', reactor: 'welcome', events: 2 })
    await work(dispatcher)
    expect([...welcome.seen].sort()).toEqual(['Created 2 v1', 'Created 3 v1'])
  })

  it('gets what a backfill made only if it asks for it', async () => {
    const asked = noting('asked', { backfill: true })
    const other = noting('other')
    const dispatcher = defineDispatcher((on) => on(Subscription, { async: [asked.reactor, other.reactor] }))
    await work(dispatcher)
    await db.admin.query(`
      insert into public.events_subscription (aggregate_type, aggregate_id, version, type, data, metadata, occurred_at)
      values ('Subscription', '5', 1, 'Created', '{"user_id": 1, "reward_id": 2, "payment_source_key": null}',
        '{"source": "backfill"}', now())`)
    await work(dispatcher)
    expect(asked.seen).toEqual(['Created 5 v1'])
    expect(other.seen).toEqual([])
  })

  it('that fails is tried again, and then left to a person, who has it tried again or gives it up', async () => {
    await insert(1)
    const mail = noting('mail', { failures: 3, maxAttempts: 2 })
    const dispatcher = defineDispatcher((on) => on(Events.Activated, { async: [mail.reactor] }))
    const off = dispatcher.attach(app())
    await Activate.call(app(), { id: 1 })
    expect(await work(dispatcher)).toContainEqual(
      expect.objectContaining({ kind: 'failed', reactor: 'mail', left: 1 }),
    )
    await db.admin.query('update eventward_worker._private_jobs set run_at = now()')
    await work(dispatcher)
    const failed = await db.database.session((session) => failedJobs(session))
    expect(failed).toMatchObject([
      { reactor: 'mail', aggregate: 'Subscription', stream: '1', attempts: 2, maxAttempts: 2, nextAt: null },
    ])
    expect(failed[0]?.error).toContain('the mail server is away')
    const id = failed[0]?.id ?? ''
    await expect(db.database.session((session) => retryJobs(session, ['0', id]))).rejects.toMatchObject({
      code: 'EW_JOB_UNKNOWN',
    })
    await db.database.session((session) => retryJobs(session, 'all'))
    await work(dispatcher)
    await db.database.session((session) => retryJobs(session, [id]))
    await work(dispatcher)
    expect(mail.seen).toEqual(['Activated 1 v2'])
    expect(await db.database.session((session) => failedJobs(session, { all: true }))).toEqual([])
    off()
  })

  it('that wants order gets the later events of a stream after the earlier one, others meanwhile', async () => {
    const audit = noting('audit', { ordered: true, failures: 1 })
    const dispatcher = defineDispatcher((on) => on(everything, { async: [audit.reactor] }))
    await work(dispatcher)
    const off = dispatcher.attach(app())
    await insert(1)
    await Activate.call(app(), { id: 1 })
    await Deactivate.call(app(), { id: 1 })
    await work(dispatcher)
    expect(audit.seen).toEqual([])
    await insert(2)
    await Activate.call(app(), { id: 2 })
    await work(dispatcher)
    expect(audit.seen).toEqual(['Created 2 v1', 'Activated 2 v2'])
    expect(await db.database.session((session) => reactorStatus(session))).toMatchObject([
      { reactor: 'audit', fromLog: '5', retrying: '1', failed: '0', held: '2' },
    ])
    await db.admin.query('update eventward_worker._private_jobs set run_at = now()')
    await work(dispatcher)
    expect(audit.seen.slice(2)).toEqual(['Created 1 v1 try 2', 'Activated 1 v2', 'Deactivated 1 v3'])
    expect((await db.admin.query('select from eventward.reaction_order')).rowCount).toBe(0)
    off()
  })

  it('that wants order goes on where an event was given up', async () => {
    const audit = noting('audit', { ordered: true, failures: 1, maxAttempts: 1 })
    const dispatcher = defineDispatcher((on) => on(everything, { async: [audit.reactor] }))
    await work(dispatcher)
    await insert(1)
    await Activate.call(app(), { id: 1 })
    await work(dispatcher)
    const failed = await db.database.session((session) => failedJobs(session))
    expect(failed).toMatchObject([{ stream: '1', holds: '1' }])
    await db.database.session((session) => discardJobs(session, [failed[0]?.id ?? '']))
    await work(dispatcher)
    expect(audit.seen).toEqual(['Activated 1 v2'])
  })

  it('that writes in a transaction writes once, with its receipt', async () => {
    let failures = 1
    const dispatcher = defineDispatcher((on) =>
      on(Events.Created, {
        async: [
          reactor<AppendedEvent>(
            'ledger',
            async (event, { knex, key }) => {
              await knex.raw('insert into public.written values (?, ?)', [key, event.id])
              failures -= 1
              if (failures >= 0) throw new Error('after it wrote')
            },
            { transaction: true },
          ),
        ],
      }),
    )
    await work(dispatcher)
    await insert(1)
    await work(dispatcher)
    expect((await db.admin.query('select from public.written')).rowCount).toBe(0)
    await db.admin.query('update eventward_worker._private_jobs set run_at = now()')
    await work(dispatcher)
    const { rows } = await db.admin.query('select what from public.written')
    expect(rows).toEqual([{ what: '1' }])
    expect((await db.admin.query('select from eventward.reactions')).rowCount).toBe(0)
  })

  it('calls commands, whose events tell where they come from, and are reacted to in turn', async () => {
    await insert(1)
    const last = noting('last')
    const dispatcher = defineDispatcher((on) => {
      on(Events.Activated, {
        async: [
          reactor<AppendedEvent<typeof Subscription>>('stop', async (event, { knex }) => {
            await Deactivate.call(knex, event.key)
          }),
        ],
      })
      on(Events.Deactivated, { async: [last.reactor] })
    })
    const off = dispatcher.attach(app())
    await withContext({ actor: 'anna' }, () => Activate.call(app(), { id: 1 }))
    await work(dispatcher)
    off()
    expect(last.seen).toEqual(['Deactivated 1 v3'])
    const { rows } = await db.admin.query<{ position: string; metadata: string }>(
      'select position, metadata from public.events order by version',
    )
    const [, activated, deactivated] = rows
    expect(JSON.parse(deactivated?.metadata ?? '{}')).toMatchObject({
      command: 'Deactivate',
      reactor: 'stop',
      causation: activated?.position,
      correlation: activated?.position,
    })
  })

  it('whose triggers lead in a circle is refused, and all of it undone', async () => {
    await insert(1)
    const Turn = defineCommand({
      aggregate: Subscription,
      build: (state) =>
        state.status === 'active'
          ? { type: 'Deactivated' }
          : { type: 'Activated', data: { stripe_key: 'x' } },
    })
    const dispatcher = defineDispatcher((on) =>
      on(Subscription, { trigger: [(event, { trx }) => Turn.call(trx, event.key)] }),
    )
    const off = dispatcher.attach(app())
    await expect(Turn.call(app(), { id: 1 })).rejects.toMatchObject({ code: 'EW_REACTOR_LOOP' })
    off()
    expect(await untouched(1)).toEqual([{ status: 'unpaid' }])
  })

  it('of newer code has its events enqueued by older workers, and handled by newer ones', async () => {
    const older = noting('mail')
    const newer = noting('mail')
    const before = defineDispatcher((on) => on(Events.Activated, { async: [older.reactor] }))
    const after = defineDispatcher((on) => on([Events.Activated, Events.Created], { async: [newer.reactor] }))
    const old = await reactionWorker({ url: db.url, dispatcher: before, knex: app() })
    const late = await reactionWorker({ url: db.url, dispatcher: after, knex: app() })
    await insert(1)
    await old.once()
    expect(older.seen).toEqual([])
    const failed = await db.database.session((session) => failedJobs(session, { all: true }))
    expect(failed.map(({ error }) => error.split(':')[0])).toEqual(['EW_REACTION'])
    await db.admin.query('update eventward_worker._private_jobs set run_at = now()')
    await late.once()
    expect(newer.seen).toEqual(['Created 1 v1 try 2'])
    await Promise.all([old.close(), late.close()])
  })

  it('needs the queue, and says so before anything is kept', async () => {
    await insert(1)
    const { reactor: one } = noting('one')
    const off = defineDispatcher((on) => on(Events.Activated, { async: [one] })).attach(app())
    await db.admin.query('alter schema eventward_worker rename to elsewhere')
    await expect(Activate.call(app(), { id: 1 })).rejects.toMatchObject({ code: 'EW_QUEUE' })
    await db.admin.query('alter schema elsewhere rename to eventward_worker')
    off()
    expect(await untouched(1)).toEqual([{ status: 'unpaid' }])
  })

  it('is refused under a name that is none, or that another one has', () => {
    expect(() => reactor('no name', () => undefined)).toThrow('is no name for a reactor')
    expect(() =>
      defineDispatcher((on) => {
        on(Events.Created, { async: [reactor('same', () => 1)] })
        on(Events.Activated, { async: [reactor('same', () => 2)] })
      }),
    ).toThrow('two reactors are called same')
    const handler = (_: AppendedEvent) => undefined
    expect(() => defineDispatcher((on) => on(Events.Created, { async: [handler] }))).toThrow('is none')
  })
})
