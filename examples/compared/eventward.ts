/** A subscription with eventward; beside it, in emmett.ts, the same with Emmett. docs/compared-with-emmett.md shows both. */
import type { Knex } from 'knex'
import { z } from 'zod'
import { defineAggregate, defineCommand, occurredAt, repositoryOf } from '../../src/index.js'
import { tables } from '../subscriptions/eventward.tables.js'

// #region events
export const Subscription = defineAggregate({
  name: 'Subscription',
  table: tables.subscriptions,
  events: {
    Created: {
      creates: true,
      data: ['user_id', 'reward_id'],
      set: { status: 'unpaid', created_at: occurredAt },
    },
    Activated: { data: ['stripe_key'], set: { status: 'active', activated_at: occurredAt } },
    Deactivated: {
      facts: { reason: z.string() },
      set: { status: 'inactive', deactivated_at: occurredAt },
    },
  },
})
// #endregion

// #region commands
const Subscribe = defineCommand({
  name: 'Subscribe',
  aggregate: Subscription,
  creates: true,
  attributes: z.object({ user_id: z.int(), reward_id: z.int() }),
  build: (_, data) => ({ type: 'Created', data }),
})

const Activate = defineCommand({
  name: 'Activate',
  aggregate: Subscription,
  attributes: z.object({ stripe_key: z.string().min(1) }),
  validate: ({ status }) => status === 'inactive' && 'it was deactivated',
  noop: ({ status }) => status === 'active',
  build: (_, data) => ({ type: 'Activated', data }),
})

const Deactivate = defineCommand({
  name: 'Deactivate',
  aggregate: Subscription,
  attributes: z.object({ reason: z.string().min(1) }),
  noop: ({ status }) => status === 'inactive',
  build: (_, facts) => ({ type: 'Deactivated', facts }),
})
// #endregion

// #region history
const Subscriptions = repositoryOf(Subscription)
const history = (knex: Knex, id: number) => Subscriptions.history(knex, { id })
const statusAt = async (knex: Knex, id: number, version: number) =>
  (await Subscriptions.at(knex, { id }, version))?.status
// #endregion

export const subscriptions = (knex: Knex) => ({
  subscribe: async (id: number, user_id: number, reward_id: number) =>
    (await Subscribe.call(knex, { id, user_id, reward_id }))?.type,
  activate: async (id: number, stripe_key: string) => (await Activate.call(knex, { id, stripe_key }))?.type,
  deactivate: async (id: number, reason: string) => (await Deactivate.call(knex, { id, reason }))?.type,
  history: async (id: number) => (await history(knex, id)).map(({ type }) => type),
  statusAt: (id: number, version: number) => statusAt(knex, id, version),
})
