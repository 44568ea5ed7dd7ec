/** What a command infers, and what the compiler refuses. Checked by `npm run typecheck`; never run. */
import type { Knex } from 'knex'
import {
  type AppendedEvent,
  defineAggregate,
  defineCommand,
  type Integer,
  type StandardSchemaV1,
} from '../../src/index.js'
import { Subscription, subscriptions } from '../support/subscription.js'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(..._: Same<A, B> extends true ? [] : ['these types differ']): void {}
type Result<F extends (...args: never[]) => unknown> = Awaited<ReturnType<F>>

declare const knex: Knex
declare const stripeKey: StandardSchemaV1<{ stripe_key: string }, { stripe_key: string }>
declare const trimmed: StandardSchemaV1<{ key?: string }, { key: string }>
declare const reason: StandardSchemaV1<string, 'price' | 'quality'>
const aggregate = Subscription

// ── inferred ─────────────────────────────────────────────────────────────────────────────────────────────────────
const Activate = defineCommand({
  aggregate,
  attributes: stripeKey,
  validate: (state, { stripe_key }, { version, id }) => {
    same<typeof state.status, 'unpaid' | 'active' | 'inactive'>()
    same<typeof state.user_id, `${bigint}`>()
    same<typeof state.stripe_key, string | null>()
    same<typeof stripe_key, string>()
    same<typeof version, number>()
    same<typeof id, string | null>()
  },
  noop: (state) => state.status === 'active',
  build: (_, { stripe_key }) => ({ type: 'Activated', data: { stripe_key } }),
})
same<Result<typeof Activate.call>, AppendedEvent<typeof Subscription, 'Activated'> | null>()
declare const activated: NonNullable<Result<typeof Activate.call>>
same<typeof activated.type, 'Activated'>()
same<typeof activated.data, { readonly stripe_key: string | null }>()
same<typeof activated.position, string>()
Activate.call(knex, { id: 12, stripe_key: 'k' })
Activate.call(knex, { id: 12n, stripe_key: 'k' }, { metadata: { notification_id: 1 } })

const Trim = defineCommand({
  aggregate,
  attributes: trimmed,
  build: (_, { key }) => ({ type: 'Activated', data: { stripe_key: key } }),
})
Trim.call(knex, { id: '12' })

const Create = defineCommand({
  aggregate,
  creates: true,
  build: (state) => {
    same<typeof state, null>()
    return { type: 'Created', data: { user_id: 1, reward_id: '2', payment_source_key: null } }
  },
})
declare const created: NonNullable<Result<typeof Create.call>>
same<Extract<typeof created, { type: 'Created' }>['data']['user_id'], `${bigint}`>()
Create.call(knex, {})
Create.call(knex, { id: 7 })

const Both = defineCommand({
  aggregate,
  several: true,
  build: (state) =>
    state.status === 'active'
      ? [{ type: 'Deactivated' }]
      : [{ type: 'Activated', data: { stripe_key: 'k' } }, { type: 'Deactivated' }],
})
declare const both: NonNullable<Result<typeof Both.call>>
same<(typeof both)[number]['type'], 'Activated' | 'Deactivated'>()

const Cancellable = defineAggregate({
  name: 'Cancellable',
  table: subscriptions,
  events: {
    Created: { creates: true, data: { who: 'user_id' } },
    Cancelled: { set: { status: 'inactive' }, facts: { reason } },
  },
})
const Cancel = defineCommand({
  aggregate: Cancellable,
  build: () => ({ type: 'Cancelled', facts: { reason: 'price' } }),
})
declare const cancelled: NonNullable<Result<typeof Cancel.call>>
same<typeof cancelled.data, { readonly reason: 'price' | 'quality' }>()
defineCommand({
  aggregate: Cancellable,
  creates: true,
  build: () => ({ type: 'Created', data: { who: 1n satisfies Integer } }),
})

// ── refused ──────────────────────────────────────────────────────────────────────────────────────────────────────
const data = { stripe_key: 'k' }
// @ts-expect-error a misspelt attribute of the event
defineCommand({ aggregate, build: () => ({ type: 'Activated', data: { stripe_kye: 'k' } }) })
// @ts-expect-error an attribute that is missing
defineCommand({ aggregate, build: () => ({ type: 'Activated', data: {} }) })
// @ts-expect-error all attributes missing
defineCommand({ aggregate, build: () => ({ type: 'Activated' }) })
// @ts-expect-error an attribute of the wrong type
defineCommand({ aggregate, build: () => ({ type: 'Activated', data: { stripe_key: 12 } }) })
// @ts-expect-error an attribute of an event that has none
defineCommand({ aggregate, build: () => ({ type: 'Deactivated', data: { stripe_key: 'k' } }) })
// @ts-expect-error an event of another aggregate
defineCommand({ aggregate, build: () => ({ type: 'Cancelled', facts: { reason: 'price' } }) })
// @ts-expect-error a misspelt event
defineCommand({ aggregate, build: () => ({ type: 'Activatd', data }) })
// @ts-expect-error a creation of a row that is there
defineCommand({ aggregate, build: () => ({ type: 'Created', data: { user_id: 1 } }) })
// @ts-expect-error a fact that its schema does not know
defineCommand({ aggregate: Cancellable, build: () => ({ type: 'Cancelled', facts: { reason: 'no' } }) })
// @ts-expect-error a fact that is missing
defineCommand({ aggregate: Cancellable, build: () => ({ type: 'Cancelled' }) })
// @ts-expect-error a list where one event is built
defineCommand({ aggregate, build: () => [{ type: 'Deactivated' }] })
// @ts-expect-error a number compared with what is a text
defineCommand({ aggregate, noop: (state) => state.user_id === 12, build: () => ({ type: 'Deactivated' }) })
// @ts-expect-error a column that is not there
defineCommand({ aggregate, noop: (state) => state.statuss === 'a', build: () => ({ type: 'Deactivated' }) })
// @ts-expect-error a key that is missing
Activate.call(knex, { stripe_key: 'k' })
// @ts-expect-error an attribute of the command that is missing
Activate.call(knex, { id: 12 })
// @ts-expect-error an attribute that the command does not have
Activate.call(knex, { id: 12, stripe_key: 'k', more: 1 })
