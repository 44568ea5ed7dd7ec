/** What the examples of the pages name without saying where it comes from: see pages.unit.test.ts. */
import type { Knex } from 'knex'
import { z } from 'zod'
import { tables } from '../../examples/subscriptions/eventward.tables.js'
import {
  type AppendedEvent,
  defineAggregate,
  defineCommand,
  defineDispatcher,
  defineProjection,
  defineTable,
  eventsOf,
  type Integer,
  type ReactionContext,
  repositoryOf,
} from '../../src/index.js'
import { Subscription } from '../support/subscription.js'

export { Subscription, tables, z }

export declare const knex: Knex
export declare const trx: Knex.Transaction
export declare const url: string
export declare const signal: AbortSignal

export const { Created, Activated, Deactivated } = eventsOf(Subscription)
export const Subscriptions = repositoryOf(Subscription)
export const isActivated = (row: { readonly status: string }): boolean => row.status === 'active'

type AnyOf = AppendedEvent<typeof Subscription, 'Activated'>
const called = (name: string) => ({ name, call: (event: AnyOf, _: ReactionContext) => event.stripe_key })
export const SubscriptionConfirmation = called('SubscriptionConfirmation')
export const NewSubscriberNotification = called('NewSubscriberNotification')
export const countSubscribers = async (on: Knex, key: { readonly id: string }): Promise<number> =>
  on('counts').where(key).update({ n: 1 })
export const indexRow = (event: AppendedEvent): string => event.id
export const writeAudit = (event: AppendedEvent): string => event.id

export const Activate = defineCommand({
  name: 'Activate',
  aggregate: Subscription,
  attributes: z.object({ stripe_key: z.string().min(1) }),
  noop: isActivated,
  build: (_, { stripe_key }) => ({ type: 'Activated', data: { stripe_key } }),
})
export const dispatcher = defineDispatcher((on) => on(Activated, { async: [SubscriptionConfirmation] }))
export const PerReward = defineProjection({
  name: 'per_reward',
  version: 1,
  mode: 'async',
  create: (schema, table) => schema.createTable(table, (t) => t.text('id').primary()),
  on: (on) => on(Activated, (event, { trx: on, table }) => on(table).insert({ id: event.id })),
})

interface AccountsRow {
  id: Integer
  cents: Integer
}
const number = { type: 'bigint', nullable: false } as const
/** Its events carry the amount as a fact. */
export const Account = defineAggregate({
  name: 'Account',
  table: defineTable<AccountsRow>()({
    schema: 'public',
    name: 'accounts',
    key: ['id'],
    columns: { id: number, cents: number },
  }),
  events: {
    Opened: { creates: true, set: { cents: 0 } },
    Debited: { facts: { amount: z.string() } },
    Credited: { facts: { amount: z.string() } },
  },
})
