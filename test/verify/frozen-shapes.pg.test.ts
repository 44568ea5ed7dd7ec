import { beforeAll, describe, expect, it } from 'vitest'
import { bindAggregate } from '../../src/bind/index.js'
import { defineAggregate, occurredAt } from '../../src/definition/index.js'
import { registerDefinition } from '../../src/store/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import {
  createSubscriptions,
  insertSubscriptions,
  Subscription,
  subscriptions,
} from '../support/subscription.js'

const EVENTS = { schema: 'public', table: 'events' }

describe('events of an older schema version', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(insertSubscriptions)
    await db.admin.query('delete from public.subscriptions where id = 13')
    await db.admin.query("select eventward.create_partition('Subscription', 'events_subscription')")
    await db.database.session(async (session) => {
      const { model } = await bindAggregate(session, Subscription)
      await registerDefinition(session, model, EVENTS)
    })
    await db.admin.query(`
      insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at) values
        ('Subscription', '12', 1, 'Created', '{"user_id": 123, "reward_id": 234, "payment_source_key": "pm_1"}', '2018-02-01Z'),
        ('Subscription', '12', 2, 'Activated', '{"stripe_key": "sub_66123"}', '2018-02-01Z')`)
  })

  it.each(['sql', 'replay'] as const)(
    'are folded by %s as they were meant when they were written',
    async (engine) => {
      const renamed = defineAggregate({
        name: 'Subscription',
        table: subscriptions,
        events: {
          Created: {
            creates: true,
            data: ['user_id', 'reward_id', 'payment_source_key'],
            set: { status: 'unpaid', created_at: occurredAt },
          },
          Activated: {
            schemaVersion: 2,
            data: { stripeKey: 'stripe_key' },
            set: { status: 'inactive', activated_at: occurredAt },
          },
        },
      })
      const { table, differences } = await verify(db.database, renamed, { engine })
      expect(differences).toEqual([])
      expect(table).toMatchObject({ events: '2', clean: true })
    },
  )

  it('are not read under a definition that says otherwise with the same version', async () => {
    const changed = defineAggregate({
      name: 'Subscription',
      table: subscriptions,
      events: {
        Created: {
          creates: true,
          data: ['user_id', 'reward_id', 'payment_source_key'],
          set: { status: 'unpaid', created_at: occurredAt },
        },
        Activated: { data: ['stripe_key'], set: { status: 'inactive', activated_at: occurredAt } },
      },
    })
    await expect(verify(db.database, changed)).rejects.toMatchObject({ code: 'EW_DEFINITION_CHANGED' })
  })
})

describe('verify without what it needs', () => {
  const db = testDatabase({ migrated: false })

  it('says to migrate first, and writes nothing', async () => {
    await db.admin.query(createSubscriptions)
    await expect(verify(db.database, Subscription)).rejects.toMatchObject({ code: 'EW_NOT_MIGRATED' })
  })
})
