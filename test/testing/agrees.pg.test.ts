/** The kit and a server: what the one says without a database, the other does. */
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { backfill } from '../../src/backfill/index.js'
import {
  type AnyAggregate,
  defineCommand,
  defineJointCommand,
  eventsOf,
  repositoryOf,
} from '../../src/index.js'
import { expectLossless, type GivenEvent, given } from '../../src/testing/index.js'
import { appKnex } from '../runtime/app-knex.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'
import { createRewards, Reward } from './reward.js'
import { Activate, Create, Remove } from './subscription-commands.js'

const Rewards = eventsOf(Reward)
const Subscriptions = eventsOf(Subscription)

const Offer = defineCommand({
  name: 'Offer',
  aggregate: Reward,
  creates: true,
  several: true,
  attributes: z.object({ title: z.string(), price: z.union([z.number(), z.string()]) }),
  build: (_, { title, price }) => [
    { type: 'Offered', data: { title } },
    { type: 'Priced', data: { price: price as number } },
  ],
})
const Retire = defineCommand({
  name: 'Retire',
  aggregate: Reward,
  noop: ({ active }) => !active,
  build: () => ({ type: 'Retired' }),
})
const RetireAndEnd = defineJointCommand({
  name: 'RetireAndEnd',
  aggregates: { reward: Reward, subscription: Subscription },
  validate: ({ subscription }) => subscription.status === 'unpaid' && 'it was never active',
  build: ({ reward }) => ({
    reward: reward.active ? [{ type: 'Priced', data: { price: '0' } }, { type: 'Retired' }] : [],
    subscription: { type: 'Deactivated' },
  }),
})

const stampOf = (row: object | null) =>
  String(new Map<string, unknown>(Object.entries(row ?? {})).get('updated_at'))

/** What a stored event says, as it would be given. */
const asGiven = (events: readonly { type: string; data: object; occurredAt: string }[]) =>
  events.map(({ type, data, occurredAt }) => ({ type, data, at: occurredAt }))

const essence = (events: readonly { type: string; data: object; version: number; occurredAt: string }[]) =>
  events.map(({ type, data, version, occurredAt }) => ({ type, data, version, occurredAt }))

describe('a command run by the kit', () => {
  const db = testDatabase()
  const app = appKnex(db)
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(createRewards)
    await installCapture(db.database, Subscription)
    await installCapture(db.database, Reward)
  })

  const rowOf = (aggregate: AnyAggregate, id: number) => repositoryOf(aggregate).find(app(), { id } as never)
  const historyOf = async <A extends AnyAggregate>(aggregate: A, id: number) =>
    asGiven(
      await repositoryOf(aggregate).history(app(), { id } as never),
    ) as unknown as readonly GivenEvent<A>[]
  const subscribed = (id: number) =>
    Subscriptions.Created.create(app(), { id, user_id: 1, reward_id: 2, payment_source_key: 'pm_1' })

  it('gives the event and the row that the server has', async () => {
    await subscribed(12)
    const past = await historyOf(Subscription, 12)
    const event = await Activate.call(app(), { id: 12, stripe_key: 'sub_66123' })
    const run = given(Subscription, past).when(
      Activate,
      { id: 12, stripe_key: 'sub_66123' },
      { now: event?.occurredAt ?? '' },
    )
    const { events, row } = await run.outcome()
    expect(essence(events)).toEqual(essence(event === null ? [] : [event]))
    expect(row).toEqual(await rowOf(Subscription, 12))
  })

  it('is a no-op, is refused and misses its row where the server says so', async () => {
    await subscribed(13)
    await Activate.call(app(), { id: 13, stripe_key: 'a' })
    expect(await Activate.call(app(), { id: 13, stripe_key: 'b' })).toBeNull()
    const active = await historyOf(Subscription, 13)
    await given(Subscription, active).when(Activate, { id: 13, stripe_key: 'b' }).thenNothing()
    await Subscriptions.Deactivated.create(app(), { id: 13 })
    for (const [id, stripe_key] of [
      [13, 'b'],
      [13, ''],
      [99, 'b'],
    ] as const) {
      const thrown = await Activate.call(app(), { id, stripe_key }).catch((error: unknown) => error)
      const past = await historyOf(Subscription, id)
      await given(Subscription, past)
        .when(Activate, { id, stripe_key })
        .thenThrows((thrown as { code: string }).code, (thrown as Error).message)
    }
  })

  it('creates the row that the server creates', async () => {
    const input = { id: 14, user_id: 5, reward_id: 6, payment_source_key: null }
    const event = await Create.call(app(), input)
    const { events, row } = await given()
      .when(Create, input, { now: event?.occurredAt ?? '' })
      .outcome()
    expect(essence(events)).toEqual(essence(event === null ? [] : [event]))
    expect(row).toEqual(await rowOf(Subscription, 14))
  })

  it('removes it likewise', async () => {
    await subscribed(15)
    await Activate.call(app(), { id: 15, stripe_key: 'a' })
    const past = await historyOf(Subscription, 15)
    const removed = await Remove.call(app(), { id: 15 })
    const run = given(Subscription, past).when(Remove, { id: 15 }, { now: removed?.[0]?.occurredAt ?? '' })
    expect(essence((await run.outcome()).events)).toEqual(essence(removed ?? []))
    await run.thenRow(null)
    expect(await rowOf(Subscription, 15)).toBeNull()
  })

  it.each([4.5, '1.1', '2e1', 0])(
    'takes defaults, a zone, an updatedAt and a price of %s alike',
    async (price) => {
      const offered = await Offer.call(app(), { title: 'a', price })
      const id = Number(offered?.[0]?.id)
      const before = await rowOf(Reward, id)
      const made = given().when(
        Offer,
        { title: 'a', price },
        { defaults: { id, price: 5 }, now: stampOf(before) },
      )
      const { events, row } = await made.outcome()
      expect(events.map(({ type, data }) => [type, data])).toEqual(
        offered?.map(({ type, data }) => [type, data]),
      )
      expect(row).toEqual(before)
      const past = await historyOf(Reward, id)
      const retired = await Retire.call(app(), { id })
      const after = await rowOf(Reward, id)
      const run = given(Reward, past).when(Retire, { id }, { now: stampOf(after) })
      const outcome = await run.outcome()
      expect(essence(outcome.events)).toEqual(essence(retired === null ? [] : [retired]))
      expect(outcome.row).toEqual(after)
    },
  )

  it('does to several aggregates what the server does', async () => {
    const reward = await Rewards.Offered.create(app(), { title: 'b' })
    const id = Number(reward.id)
    const input = { reward: { id }, subscription: { id: 16 } }
    await subscribed(16)
    const pasts = async () => ({
      reward: await historyOf(Reward, id),
      subscription: await historyOf(Subscription, 16),
    })
    const refused = await RetireAndEnd.call(app(), input).catch((error: Error) => error.message)
    await given(RetireAndEnd, await pasts())
      .when(RetireAndEnd, input)
      .thenThrows(String(refused))
    await Activate.call(app(), { id: 16, stripe_key: 'a' })
    for (const _ of ['one reward to retire', 'none']) {
      const past = await pasts()
      const done = await RetireAndEnd.call(app(), input)
      const run = given(past).when(RetireAndEnd, input)
      const { reward: one, subscription: other } = await run.outcome()
      const kinds = (events: readonly { type: string; data: object; version: number }[] = []) =>
        events.map(({ type, data, version }) => ({ type, data, version }))
      expect(kinds(one.events)).toEqual(kinds(done?.reward))
      expect(kinds(other.events)).toEqual(kinds(done?.subscription))
    }
  })
})

describe('rows recognised by the kit', () => {
  const db = testDatabase()
  const app = appKnex(db)
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(insertSubscriptions)
    await db.admin.query(createRewards)
    await db.admin.query(`insert into public.rewards values
      (1, 'a', 1.5, true, null, null),
      (2, 'b', null, false, '2018-07-01 12:00:00.5', '2018-07-02 00:00:00+02'),
      (3, 'c', 2, false, '2018-10-28 02:30:00', null),
      (4, 'd', 2, true, '2018-03-25 02:30:00', null)`)
    await backfill(db.database, Subscription)
    await backfill(db.database, Reward)
  })

  it.each([Subscription, Reward])(
    'are the events that a backfill writes',
    async (aggregate: AnyAggregate) => {
      const { schema, name } = aggregate.table
      const { rows } = await db.admin.query<Record<string, string>>(
        `select * from ${schema}.${name} order by id`,
      )
      expect(rows.length).toBeGreaterThan(1)
      const booleans = rows.map((row) =>
        'active' in row ? { ...row, active: row['active'] === 't' } : row,
      ) as never[]
      const recognised = expectLossless(aggregate, booleans, { allowResidue: true })
      for (const [index, row] of rows.entries()) {
        const stored = await repositoryOf(aggregate).history(app(), { id: row['id'] } as never)
        // What no column dates has the time of the run there, and the kit's own here.
        const dated = (at: string) => (/^20(00|2)/.test(at) ? 'the clock' : at)
        expect(recognised[index]?.events.map(({ type, at }) => [type, dated(at)])).toEqual(
          stored.map(({ type, occurredAt }) => [type, dated(occurredAt)]),
        )
      }
    },
  )
})
