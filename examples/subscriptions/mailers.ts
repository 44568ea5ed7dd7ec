/** Mailers. A mail that is delivered twice under one key is sent once: reactors are called at least once. */
import type { Knex } from 'knex'

const mail = (template: string, subscription_id: string) => ({
  deliver: (knex: Knex, key: string) =>
    knex('mails').insert({ template, subscription_id, key }).onConflict('key').ignore(),
})

export const SubscriberMailer = {
  confirmSubscription: (about: { subscription_id: string }) => mail('confirm', about.subscription_id),
}
export const CreatorMailer = {
  queueNewSubscriber: (about: { subscription_id: string }) => mail('new subscriber', about.subscription_id),
}
