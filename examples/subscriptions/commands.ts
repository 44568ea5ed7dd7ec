/** Commands: validate their attributes, then the present state, and build the event. */
import { z } from 'zod'
import { defineCommand } from '../../src/index.js'
import { isActivated, isDeactivated, Subscription } from './subscription.js'

export const Subscribe = defineCommand({
  name: 'Subscribe',
  aggregate: Subscription,
  creates: true,
  attributes: z.object({ user_id: z.int(), reward_id: z.int(), payment_source_key: z.int() }),
  build: (_, data) => ({ type: 'Created', data }),
})

export const Activate = defineCommand({
  name: 'Activate',
  aggregate: Subscription,
  attributes: z.object({ stripe_key: z.string().min(1) }),
  validate: (subscription) => isDeactivated(subscription) && 'it was deactivated',
  noop: (subscription) => isActivated(subscription),
  build: (_, { stripe_key }) => ({ type: 'Activated', data: { stripe_key } }),
})
