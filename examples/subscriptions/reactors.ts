/** Reactors: two that are called after the event's transaction, and one that is part of it. */
import type { AppendedEvent, ReactionContext, TriggerContext } from '../../src/index.js'
import { CreatorMailer, SubscriberMailer } from './mailers.js'
import type { Subscription } from './subscription.js'

type Activated = AppendedEvent<typeof Subscription, 'Activated'>

export const SubscriptionConfirmation = {
  name: 'Notifications.SubscriptionConfirmation',
  call: (event: Activated, { knex, key }: ReactionContext) =>
    SubscriberMailer.confirmSubscription({ subscription_id: event.id }).deliver(knex, key),
}

export const NewSubscriberNotification = {
  name: 'Notifications.NewSubscriberNotification',
  call: (event: Activated, { knex, key }: ReactionContext) =>
    CreatorMailer.queueNewSubscriber({ subscription_id: event.id }).deliver(knex, key),
}

/** The user was seen: with the event, or not at all. */
export async function touchUser(event: Activated, { trx }: TriggerContext): Promise<void> {
  const user = trx('subscriptions').where({ id: event.id }).select('user_id')
  await trx('users').where('id', user).update({ updated_at: event.occurredAt })
}
