/** What `eventward init` wrote, with better names. Outside of this repository: from 'eventward'. */
import { z } from 'zod'
import { defineAggregate, defineConfig, occurredAt } from '../../src/index.js'
import { tables } from './eventward.tables.js'

export const Reward = defineAggregate({
  name: 'Reward',
  table: tables.rewards,
  events: {
    Offered: { creates: true, data: ['title', 'price', 'places'], set: { created_at: occurredAt } },
    Repriced: { data: ['price'] },
    PlaceTaken: { data: ['places'] },
  },
})

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
      // No column holds it: the application before the move was told, and forgot.
      facts: { reason: z.string() },
      set: { status: 'inactive', deactivated_at: occurredAt },
    },
  },
})

export default defineConfig({ aggregates: [Reward, Subscription] })
