/** What events, predicates, repositories and joint commands infer, and what the compiler refuses. Never run. */
import type { Knex } from 'knex'
import {
  type AppendedEvent,
  defineJointCommand,
  eventsOf,
  predicatesOf,
  repositoryOf,
  type StandardSchemaV1,
  type State,
} from '../../src/index.js'
import { Subscription } from '../support/subscription.js'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(..._: Same<A, B> extends true ? [] : ['these types differ']): void {}

declare const knex: Knex
declare const cents: StandardSchemaV1<{ cents: number }, { cents: number }>

// ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────
const Events = eventsOf(Subscription)
const activated = await Events.Activated.create(knex, { id: 12, stripe_key: 'sub_66123' })
same<typeof activated, AppendedEvent<typeof Subscription, 'Activated'>>()
same<typeof activated.stripe_key, string | null>()
same<typeof activated.data.stripe_key, string | null>()
Events.Created.create(knex, { user_id: 1, reward_id: 2, payment_source_key: null })
Events.Created.create(knex, { id: 12, user_id: 1, reward_id: 2, payment_source_key: null })
same<typeof Events.Deleted.type, 'Deleted'>()

// @ts-expect-error: an attribute that it hasn't
Events.Activated.create(knex, { id: 12, stripe_keys: 'sub_66123' })
// @ts-expect-error: an attribute is missing
Events.Activated.create(knex, { id: 12 })
// @ts-expect-error: the key is missing
Events.Activated.create(knex, { stripe_key: 'sub_66123' })
// @ts-expect-error: an attribute of another event
Events.Deactivated.create(knex, { id: 12, stripe_key: 'sub_66123' })
// @ts-expect-error: no event of this aggregate
Events.Paused
// @ts-expect-error: only triggers and repairs write it
Events.Deleted.create(knex, { id: 12 })
// @ts-expect-error: no attribute of this event
activated.user_id

// ── predicates ───────────────────────────────────────────────────────────────────────────────────────────────────
const { isActivated, isDeactivated } = predicatesOf(Subscription)
declare const state: State<typeof Subscription>
same<ReturnType<typeof isActivated>, boolean>()
isDeactivated(state)
// @ts-expect-error: no event of this aggregate
predicatesOf(Subscription).isPaused
// @ts-expect-error: every row was created
predicatesOf(Subscription).isCreated
// @ts-expect-error: no row
isActivated({ id: '12' })

// ── repositories ─────────────────────────────────────────────────────────────────────────────────────────────────
const Subscriptions = repositoryOf(Subscription)
const found = await Subscriptions.find(knex, { id: 12 })
same<typeof found, State<typeof Subscription> | null>()
const [first] = await Subscriptions.history(knex, { id: 12 })
if (first?.type === 'Activated') same<typeof first.data.stripe_key, string | null>()
// @ts-expect-error: no column of the key
Subscriptions.find(knex, { user_id: 12 })

// ── joint commands ───────────────────────────────────────────────────────────────────────────────────────────────
const Swap = defineJointCommand({
  aggregates: { from: Subscription, to: Subscription },
  attributes: cents,
  validate: ({ from }, { cents: amount }) => {
    same<typeof from.status, 'unpaid' | 'active' | 'inactive'>()
    same<typeof amount, number>()
  },
  build: ({ from }) => ({
    from: { type: 'Deactivated' },
    to: [{ type: 'Activated', data: { stripe_key: from.stripe_key } }],
  }),
})
Swap.call(knex, { from: { id: 1 }, to: { id: 2 }, cents: 3 })
// @ts-expect-error: a key is missing
Swap.call(knex, { from: { id: 1 }, cents: 3 })
// @ts-expect-error: an attribute is missing
Swap.call(knex, { from: { id: 1 }, to: { id: 2 } })

defineJointCommand({
  aggregates: { made: Subscription, old: Subscription },
  creates: ['made'],
  build: ({ made, old }) => {
    same<typeof made, null>()
    same<typeof old.id, `${bigint}`>()
    return { made: { type: 'Created', data: { user_id: 1, reward_id: 2, payment_source_key: null } } }
  },
})
defineJointCommand({
  aggregates: { from: Subscription, to: Subscription },
  // @ts-expect-error: a creation of a row that is there
  build: () => ({ from: { type: 'Created', data: { user_id: 1, reward_id: 2, payment_source_key: null } } }),
})
defineJointCommand({
  aggregates: { from: Subscription },
  // @ts-expect-error: an event of none of its aggregates
  build: () => ({ from: { type: 'Paused' } }),
})
