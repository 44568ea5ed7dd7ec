/** What may be asked of rewards and subscriptions, when it may be done, and which events it means. */
import { defineCommand, defineJointCommand } from '../../src/index.js'
import { Activation, Deactivation, NewPrice, NewReward, NewSubscription } from './bodies.js'
import { Reward, Subscription } from './eventward.config.js'

export const Offer = defineCommand({
  name: 'Offer',
  aggregate: Reward,
  creates: true,
  attributes: NewReward,
  build: (_, data) => ({ type: 'Offered', data }),
})

export const Reprice = defineCommand({
  name: 'Reprice',
  aggregate: Reward,
  attributes: NewPrice,
  build: (_, data) => ({ type: 'Repriced', data }),
})

export const Withdraw = defineCommand({
  name: 'Withdraw',
  aggregate: Reward,
  deletes: true,
  several: true,
  build: () => [],
})

export const Subscribe = defineJointCommand({
  name: 'Subscribe',
  aggregates: { reward: Reward, subscription: Subscription },
  creates: ['subscription'],
  attributes: NewSubscription,
  validate: ({ reward }) => Number(reward.places) === 0 && 'no place is left',
  build: ({ reward }, data) => ({
    reward: { type: 'PlaceTaken', data: { places: Number(reward.places) - 1 } },
    subscription: { type: 'Created', data },
  }),
})

export const Activate = defineCommand({
  name: 'Activate',
  aggregate: Subscription,
  attributes: Activation,
  validate: ({ status }) => status === 'inactive' && 'it was deactivated',
  noop: ({ status }) => status === 'active',
  build: (_, data) => ({ type: 'Activated', data }),
})

export const Deactivate = defineCommand({
  name: 'Deactivate',
  aggregate: Subscription,
  attributes: Deactivation,
  noop: ({ status }) => status === 'inactive',
  build: (_, facts) => ({ type: 'Deactivated', facts }),
})
