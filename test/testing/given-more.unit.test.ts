import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  defineAggregate,
  defineCommand,
  defineJointCommand,
  defineTable,
  type Integer,
  lookup,
} from '../../src/index.js'
import { given } from '../../src/testing/index.js'
import { Subscription } from '../support/subscription.js'
import { Reward } from './reward.js'
import { Activate, Create } from './subscription-commands.js'

const created = {
  type: 'Created',
  data: { user_id: 123, reward_id: 1, payment_source_key: null },
} as const
const offered = { type: 'Offered', data: { title: 'a' } } as const

describe('a command over several aggregates', () => {
  const Retire = defineJointCommand({
    name: 'Retire',
    aggregates: { reward: Reward, subscription: Subscription },
    attributes: z.object({ price: z.string() }),
    validate: ({ reward, subscription }) =>
      subscription.reward_id !== reward.id && 'the subscription is to another reward',
    noop: ({ reward }) => !reward.active,
    build: ({ subscription }, { price }) => ({
      reward: [{ type: 'Priced', data: { price: price as `${number}` } }, { type: 'Retired' }],
      subscription: subscription.status === 'active' ? { type: 'Deactivated' } : null,
    }),
  })
  const key = { reward: { id: 1 }, subscription: { id: 12 }, price: '1.5' }
  const active = [created, { type: 'Activated', data: { stripe_key: 'a' } }] as const

  it('gives the events of each', async () => {
    const run = given(Retire, { reward: [offered], subscription: active }).when(Retire, key)
    await run.then({
      reward: [{ type: 'Priced', data: { price: 1.5 } }, { type: 'Retired' }],
      subscription: { type: 'Deactivated' },
    })
    await run.thenRow({ reward: { active: false, price: '1.50' }, subscription: { status: 'inactive' } })
    await expect(run.thenRow({ subscription: { status: 'active' } })).rejects.toThrow(
      /the row \(subscription\)/,
    )
    await expect(run.then({ reward: { type: 'Retired' } })).rejects.toThrow(/the events are others/)
  })

  it('may leave one as it is, both, and be refused', async () => {
    const run = given({ reward: [offered], subscription: [created] }).when(Retire, key)
    await run.then({ reward: [{ type: 'Priced', data: { price: '1.50' } }, { type: 'Retired' }] })
    await run.thenRow({ subscription: { status: 'unpaid' } })
    const retired = [offered, { type: 'Retired' }] as const
    await given({ reward: retired, subscription: [created] })
      .when(Retire, key)
      .thenNothing()
    await given({ reward: [offered] })
      .when(Retire, key)
      .thenThrows('EW_COMMAND_GONE')
    await given({ reward: [offered], subscription: active })
      .when(Retire, { ...key, reward: { id: 2 } })
      .thenThrows('EW_COMMAND_REFUSED', 'another reward')
  })

  it('expects the versions that its caller saw', async () => {
    const before = given({ reward: [offered], subscription: active })
    await before
      .when(Retire, key, { expectedVersions: { reward: 1, subscription: 2 } })
      .thenRow({ reward: { active: false } })
    await before.when(Retire, key, { expectedVersions: { subscription: 1 } }).thenThrows('EW_CONFLICT')
    await given([created])
      .when(Activate, { id: 12, stripe_key: 'a' }, { expectedVersion: 2 })
      .thenThrows('EW_CONFLICT')
  })

  it('is not given events that it has no place for', async () => {
    for (const wrong of [[offered], { to: [offered] }]) {
      const run = given(wrong as never).when(Retire as never, key as never) as {
        thenNothing(): Promise<void>
      }
      await expect(run.thenNothing()).rejects.toMatchObject({ code: 'EW_TESTING_GIVEN' })
    }
    const other = given(Reward as never, [created] as never).when(Activate as never, {} as never)
    await expect((other as { thenNothing(): Promise<void> }).thenNothing()).rejects.toMatchObject({
      code: 'EW_TESTING_GIVEN',
    })
  })

  it('does not take one row under two names', async () => {
    const Swap = defineJointCommand({
      aggregates: { from: Subscription, to: Subscription },
      build: () => ({ from: { type: 'Deactivated' } }),
    })
    await given({ from: [created], to: [created] })
      .when(Swap, { from: { id: 1 }, to: { id: 1 } })
      .thenThrows('EW_COMMAND_INVALID', 'same row')
  })
})

describe('a new row', () => {
  const Offer = defineCommand({
    aggregate: Reward,
    creates: true,
    attributes: z.object({ title: z.string() }),
    build: (_, { title }) => ({ type: 'Offered', data: { title } }),
  })

  it('has the key that its table would make, and the defaults that are given', async () => {
    await given().when(Offer, { title: 'a' }).thenRow({ id: 1, price: null, active: true })
    const run = given().when(Offer, { title: 'a' }, { defaults: { id: 7, price: 5 } })
    await run.thenRow({ id: 7, price: '5.00' })
    // As in the database: another event is about the price, so that no one takes it for what was offered.
    await run.then([offered, { type: 'Changed', data: { price: '5', updated_at: '2000-01-01' } }])
  })

  it('says which default is not known', async () => {
    const run = given().when(Offer, { title: 'a' }).thenRow({ price: 5 })
    await expect(run).rejects.toThrow(/default for price: say which, with the option `defaults`/)
  })

  it('is not made where events have happened to it', async () => {
    const run = given([created]).when(Create, { id: 1, user_id: 1, reward_id: 1, payment_source_key: null })
    await expect(run.thenNothing()).rejects.toMatchObject({ code: 'EW_TESTING_GIVEN' })
  })

  it('is written in the zone of its aggregate', () =>
    given([offered])
      .when(
        defineCommand({ aggregate: Reward, build: () => ({ type: 'Retired' }) }),
        { id: 1 },
        { now: '2018-07-01T10:00:00.123999Z' },
      )
      .thenRow({ retired_at: '2018-07-01 12:00:00.123', updated_at: '2018-07-01 10:00:00.123999+00' }))
})

describe('what the present says', () => {
  const Once = defineCommand({
    aggregate: Subscription,
    several: true,
    build: async (_, __, { id, version, now, after }) => {
      const first = { type: 'Activated', data: { stripe_key: `${id} ${version} ${now}` } } as const
      const state = await after(first)
      return state?.status === 'active' ? [first, { type: 'Deactivated' }] : []
    },
  })

  it('is told without a database, but for its transaction', async () => {
    await given([created])
      .when(Once, { id: 12 })
      .then([
        { type: 'Activated', data: { stripe_key: '12 1 2000-01-01 00:00:00+00' } },
        { type: 'Deactivated' },
      ])
    const Looks = defineCommand({
      aggregate: Subscription,
      validate: async (_, __, { trx }) => void (await trx('users').where({ id: 1 })),
      build: () => ({ type: 'Deactivated' }),
    })
    const bare = defineCommand({
      aggregate: Subscription,
      validate: async (_, __, { trx }) => void (await trx.raw('select 1')),
      build: () => ({ type: 'Deactivated' }),
    })
    for (const command of [bare, Looks]) {
      const run = given([created]).when(command, { id: 12 })
      await expect(run.thenNothing()).rejects.toMatchObject({ code: 'EW_TESTING_TRX' })
    }
    const trx = { raw: async () => null } as never
    await given([created]).when(bare, { id: 12 }, { trx }).then({ type: 'Deactivated' })
  })
})

describe('facts, code and looked-up rows', () => {
  const statuses = defineTable<{ id: Integer; code: string }>()({
    schema: 'public',
    name: 'statuses',
    key: ['id'],
    columns: { id: { type: 'integer', nullable: false }, code: { type: 'text', nullable: false } },
  })
  const orders = defineTable<{ id: Integer; status_id: Integer; total: Integer }>()({
    schema: 'public',
    name: 'orders',
    key: ['id'],
    columns: {
      id: { type: 'integer', nullable: false },
      status_id: { type: 'integer', nullable: false },
      total: { type: 'integer', nullable: false },
    },
  })
  const Order = defineAggregate({
    name: 'Order',
    table: orders,
    events: {
      Placed: { creates: true, data: ['total'], set: { status_id: lookup(statuses, { code: 'placed' }) } },
      Doubled: {},
      Cancelled: {
        facts: { reason: z.object({ text: z.string() }) },
        set: { status_id: lookup(statuses, { code: 'cancelled' }) },
      },
    },
    apply: { Doubled: ({ total }) => ({ total: BigInt(total) * 2n }) },
  })
  const placed = { type: 'Placed', data: { total: 5 } } as const
  const Cancel = defineCommand({
    aggregate: Order,
    attributes: z.object({ reason: z.string() }),
    build: (_, { reason }) => ({ type: 'Cancelled', facts: { reason: { text: reason } } }),
  })

  it('are as they are in the database', async () => {
    const run = given([placed, { type: 'Doubled' }]).when(Cancel, { id: 1, reason: 'late' })
    await run.then({ type: 'Cancelled', facts: { reason: { text: 'late' } } })
    await run.thenRow({ total: 10, status_id: 2 })
    const keys: Readonly<Record<string, number>> = { placed: 40, cancelled: 50 }
    await given([placed])
      .when(Cancel, { id: 1, reason: 'late' }, { lookup: ({ where }) => keys[String(where['code'])] ?? 0 })
      .thenRow({ status_id: 50 })
  })
})
