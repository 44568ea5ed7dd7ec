import { beforeAll, describe, expect, it } from 'vitest'
import { captureOn } from '../../src/capture/index.js'
import { defineAggregate, occurredAt } from '../../src/definition/index.js'
import { defineCommand, withContext, withEvents } from '../../src/runtime/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, subscriptions } from '../support/subscription.js'
import { appKnex } from './app-knex.js'

const Subscription = defineAggregate({
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
  },
})
const Create = defineCommand({
  aggregate: Subscription,
  creates: true,
  build: () => ({ type: 'Created', data: { user_id: 1, reward_id: 2, payment_source_key: null } }),
})
const Activate = defineCommand({
  aggregate: Subscription,
  build: () => ({ type: 'Activated', data: { stripe_key: 'k' } }),
})
const Remove = defineCommand({ aggregate: Subscription, deletes: true, several: true, build: () => [] })

describe('commands, where direct writes are refused', () => {
  const db = testDatabase()
  const app = appKnex(db)

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await captureOn(db.database, Subscription, {})
  })

  it('act in each phase, and are the only ones to in event_first', async () => {
    // Through the application's wrapped knex as well as through the plain one.
    const knex = withEvents(app())
    await withContext({ actor: 'ada' }, () => Create.call(knex, { id: 1 }))
    await knex('subscriptions').where({ id: 1 }).update({ reward_id: 3 })
    await db.admin.query(`select eventward.flip('Subscription', 'event_first')`)
    const refused = { code: 'EW010' }
    await expect(knex('subscriptions').where({ id: 1 }).update({ reward_id: 4 })).rejects.toMatchObject(
      refused,
    )
    await expect(knex('subscriptions').where({ id: 1 }).delete()).rejects.toMatchObject(refused)
    await Activate.call(knex, { id: 1 })
    await Create.call(app(), { id: 2 })
    await Remove.call(knex, { id: 2 })
    // An announcement is used up by the command's own write: what follows in its transaction is direct again.
    const direct = app().transaction(async (trx) => {
      await Activate.call(trx, { id: 1 })
      await trx('subscriptions').where({ id: 1 }).update({ reward_id: 4 })
    })
    await expect(direct).rejects.toMatchObject(refused)
    await db.admin.query(`select eventward.flip('Subscription', 'dual_write')`)
    await Activate.call(app(), { id: 1 })
    const { rows } = await db.admin.query<Record<'event', string>>(
      `select concat_ws(' ', aggregate_id, version, type, metadata ->> 'source', metadata ->> 'actor') as event
       from public.events order by position`,
    )
    expect(rows.map(({ event }) => event)).toEqual([
      '1 1 Created command ada',
      '1 2 Changed trigger',
      '1 3 Activated command',
      '2 1 Created command',
      '2 2 Deleted command',
      '1 4 Activated command',
    ])
    for (const engine of ['sql', 'replay'] as const) {
      expect((await verify(db.database, Subscription, { engine })).differences).toEqual([])
    }
  })
})
