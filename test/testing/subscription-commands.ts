/** Commands of the seed's slides, as an application writes them. */
import { z } from 'zod'
import { defineCommand, predicatesOf } from '../../src/index.js'
import { Subscription } from '../support/subscription.js'

const { isActivated } = predicatesOf(Subscription)

export const Create = defineCommand({
  name: 'Create',
  aggregate: Subscription,
  creates: true,
  attributes: z.object({
    user_id: z.number(),
    reward_id: z.number(),
    payment_source_key: z.string().nullable(),
  }),
  build: (_, data) => ({ type: 'Created', data }),
})

export const Activate = defineCommand({
  name: 'Activate',
  aggregate: Subscription,
  attributes: z.object({ stripe_key: z.string().min(1) }),
  validate: ({ status }) => status === 'inactive' && 'it was deactivated',
  noop: isActivated,
  build: (_, { stripe_key }) => ({ type: 'Activated', data: { stripe_key } }),
})

export const Remove = defineCommand({
  name: 'Remove',
  aggregate: Subscription,
  deletes: true,
  several: true,
  build: ({ status }) => (status === 'active' ? [{ type: 'Deactivated' }] : []),
})
