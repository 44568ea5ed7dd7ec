/** The aggregate: the row of the table, and the events that it is made of. Outside of this repository: from 'eventward'. */
import { defineAggregate, eventsOf, occurredAt, predicatesOf, repositoryOf } from '../../src/index.js'
import { tables } from './eventward.tables.js'

export const Subscription = defineAggregate({
  name: 'Subscription',
  table: tables.subscriptions,
  events: {
    Created: {
      creates: true,
      data: ['user_id', 'reward_id', 'payment_source_key'],
      set: { status: 'unpaid', created_at: occurredAt },
    },
    // What `apply` does on the slide: stripe_key is carried, the status is set, and so is the time.
    Activated: { data: ['stripe_key'], set: { status: 'active', activated_at: occurredAt } },
    Deactivated: { set: { status: 'inactive', deactivated_at: occurredAt } },
  },
})

export const Events = eventsOf(Subscription)
export const Subscriptions = repositoryOf(Subscription)
export const { isActivated, isDeactivated } = predicatesOf(Subscription)
