/** Commands that come twice, at once, or crosswise. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { defineCommand, defineJointCommand, eventsOf } from '../../src/runtime/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { gate, until } from '../support/race.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { appKnex } from './app-knex.js'
import { resetSubscriptions } from './reset-subscriptions.js'
import { schema } from './schema.js'

const { Activated } = eventsOf(Subscription)

describe('a command that is sent twice under one idempotency key', () => {
  const db = testDatabase()
  const app = appKnex(db)
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
  })
  beforeEach(async () => {
    await resetSubscriptions(db.admin)
    await db.admin.query('truncate eventward.command_keys')
  })
  const options = { idempotencyKey: 'request 7' }

  it('acts once, and gives the events of the first time', async () => {
    const first = await Activated.create(app(), { id: 13, stripe_key: 'a' }, options)
    const again = await Activated.create(app(), { id: 13, stripe_key: 'a' }, options)
    expect(again).toEqual(first)
    expect(again.stripe_key).toBe('a')
    const { rows } = await db.admin.query(
      `select count(*) as n from public.events where aggregate_id = '13' and data ->> 'stripe_key' = 'a'`,
    )
    expect(rows).toEqual([{ n: '1' }])
  })

  it('is refused where the key was another command’s, or had other attributes', async () => {
    await Activated.create(app(), { id: 13, stripe_key: 'a' }, options)
    const Other = defineCommand({
      name: 'Other',
      aggregate: Subscription,
      build: () => ({ type: 'Deactivated' }),
    })
    await expect(Other.call(app(), { id: 13 }, options)).rejects.toMatchObject({ code: 'EW_COMMAND_KEY' })
    await expect(Activated.create(app(), { id: 12, stripe_key: 'a' }, options)).rejects.toMatchObject({
      code: 'EW_COMMAND_KEY',
    })
  })

  it('stays nothing where it was nothing the first time', async () => {
    let noop = true
    const Once = defineCommand({
      aggregate: Subscription,
      noop: () => noop,
      build: () => ({ type: 'Deactivated' }),
    })
    expect(await Once.call(app(), { id: 12 }, options)).toBeNull()
    noop = false
    expect(await Once.call(app(), { id: 12 }, options)).toBeNull()
  })

  it('acts where it was refused before, though that transaction went on', async () => {
    let refused = true
    const Once = defineCommand({
      name: 'Once',
      aggregate: Subscription,
      validate: () => refused && 'not yet',
      build: () => ({ type: 'Deactivated' }),
    })
    await app().transaction(async (trx) => {
      await expect(Once.call(trx, { id: 12 }, options)).rejects.toMatchObject({ code: 'EW_COMMAND_REFUSED' })
      await expect(Once.call(trx, { id: 12 }, options)).rejects.toMatchObject({ code: 'EW_COMMAND_REFUSED' })
    })
    refused = false
    const calls = [Once.call(app(), { id: 12 }, options), Once.call(app(), { id: 12 }, options)]
    const [first, second] = await Promise.all(calls)
    expect(first).toMatchObject({ type: 'Deactivated' })
    expect(second).toEqual(first)
  })

  it.each(['commits', 'is undone'])('waits for the first, which %s', async (end) => {
    const inside = gate()
    let runs = 0
    const Slow = defineCommand({
      name: 'Slow',
      aggregate: Subscription,
      build: async () => {
        runs += 1
        if (runs === 1) await inside.pass()
        if (runs === 1 && end === 'is undone') throw new TypeError('undone')
        return { type: 'Deactivated' }
      },
    })
    const first = Slow.call(app(), { id: 12 }, options).catch((error: Error) => error.message)
    await inside.entered
    const second = Slow.call(app(), { id: 12 }, options)
    await until(
      async () =>
        (
          await db.admin.query(
            `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
          )
        ).rows.length > 0,
      { what: 'the second to wait' },
    )
    inside.open()
    const [one, two] = [await first, await second]
    expect(two?.version).toBe(3)
    if (end === 'commits') expect(two).toEqual(one)
    else expect(one).toBe('undone')
    expect(runs).toBe(end === 'commits' ? 1 : 2)
  })
})

describe('a command over several aggregates', () => {
  const db = testDatabase()
  const app = appKnex(db)
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
  })
  beforeEach(() => resetSubscriptions(db.admin))

  const Swap = defineJointCommand({
    name: 'Swap',
    aggregates: { from: Subscription, to: Subscription },
    attributes: schema<{ refuse: boolean }>(),
    validate: (_, { refuse }) => refuse && 'not now',
    build: ({ from, to }) => ({
      from: { type: 'Activated', data: { stripe_key: to.stripe_key } },
      to: { type: 'Activated', data: { stripe_key: from.stripe_key } },
    }),
  })

  it('writes all of them, or none', async () => {
    const events = await Swap.call(app(), { from: { id: 12 }, to: { id: 13 }, refuse: false })
    expect(events?.from?.[0]?.data).toEqual({ stripe_key: 'sub_66134' })
    expect(events?.to?.[0]?.data).toEqual({ stripe_key: 'sub_66123' })
    await expect(Swap.call(app(), { from: { id: 12 }, to: { id: 13 }, refuse: true })).rejects.toMatchObject({
      code: 'EW_COMMAND_REFUSED',
    })
    await expect(Swap.call(app(), { from: { id: 12 }, to: { id: 99 }, refuse: false })).rejects.toMatchObject(
      { code: 'EW_COMMAND_GONE' },
    )
    await expect(
      Swap.call(app(), { from: { id: 12 }, to: { id: 13 }, refuse: false }, { expectedVersions: { to: 1 } }),
    ).rejects.toMatchObject({ code: 'EW_CONFLICT' })
    await expect(Swap.call(app(), { from: { id: 12 }, to: { id: 12 }, refuse: false })).rejects.toMatchObject(
      { code: 'EW_COMMAND_INVALID' },
    )
    const { rows } = await db.admin.query(
      `select max(version) as v from public.events where aggregate_id = '12'`,
    )
    expect(rows).toEqual([{ v: '3' }])
  })

  it('deadlocks where each locks its own first (the naive form)', async () => {
    const [one, other] = [await db.client(), await db.client()]
    await one.query('begin; select 1 from public.subscriptions where id = 12 for no key update')
    await other.query('begin; select 1 from public.subscriptions where id = 13 for no key update')
    const ends = await Promise.allSettled([
      one.query('select 1 from public.subscriptions where id = 13 for no key update'),
      other.query('select 1 from public.subscriptions where id = 12 for no key update'),
    ])
    const codes = ends.flatMap((end) =>
      end.status === 'rejected' ? [(end.reason as { code: string }).code] : [],
    )
    expect(codes).toEqual(['40P01'])
    await Promise.all([one.query('rollback'), other.query('rollback')])
  })

  it('crosses another one that names them the other way round: both are done, one after the other', async () => {
    const inside = gate()
    let first = true
    const Held = defineJointCommand({
      aggregates: { from: Subscription, to: Subscription },
      build: async ({ from }) => {
        if (first) {
          first = false
          await inside.pass()
        }
        return { from: { type: 'Activated', data: { stripe_key: `${from.stripe_key}+` } } }
      },
    })
    const there = Held.call(app(), { from: { id: 12 }, to: { id: 13 } })
    await inside.entered
    const back = Held.call(app(), { from: { id: 13 }, to: { id: 12 } })
    await until(
      async () =>
        (
          await db.admin.query(
            `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
          )
        ).rows.length > 0,
      { what: 'the other to wait' },
    )
    inside.open()
    expect((await there)?.from?.[0]?.version).toBe(3)
    expect((await back)?.from?.[0]).toMatchObject({ data: { stripe_key: 'sub_66134+' } })
  })
})

describe('a command that meets a serialization failure', () => {
  const db = testDatabase()
  const app = appKnex(db)
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
  })
  beforeEach(() => resetSubscriptions(db.admin))

  it.each([0, 3])('is tried again as often as it says: %i', async (retries) => {
    let runs = 0
    const Once = defineCommand({
      aggregate: Subscription,
      build: async (_, __, { trx }) => {
        runs += 1
        if (runs <= 2) await trx.raw(`do $$ begin raise exception using errcode = '40001'; end $$`)
        return { type: 'Deactivated' }
      },
    })
    const call = Once.call(app(), { id: 12 }, { retries })
    if (retries === 0) await expect(call).rejects.toMatchObject({ code: '40001' })
    else expect((await call)?.version).toBe(3)
    expect(runs).toBe(retries === 0 ? 1 : 3)
  })
})
