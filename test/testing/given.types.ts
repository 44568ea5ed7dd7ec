/** What `given`, `when` and the expectations infer, and what the compiler refuses. Never run. */
import { defineJointCommand, type State } from '../../src/index.js'
import { given } from '../../src/testing/index.js'
import { Subscription } from '../support/subscription.js'
import { Reward } from './reward.js'
import { Activate, Create } from './subscription-commands.js'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(..._: Same<A, B> extends true ? [] : ['these types differ']): void {}

const created = {
  type: 'Created',
  data: { user_id: 1, reward_id: 2, payment_source_key: null },
} as const
const input = { id: 12, stripe_key: 'sub_66123' }

// ── given ────────────────────────────────────────────────────────────────────────────────────────────────────────
given(Subscription, [created, { type: 'Deactivated', at: '2018-04-06' }, { type: 'Deleted' }])
given(Subscription, [{ type: 'Changed', data: { status: 'active', reward_id: 3n } }])
given(Activate, [created])

// @ts-expect-error: no event of this aggregate
given(Subscription, [{ type: 'Paused' }])
// @ts-expect-error: no attribute of this event
given(Subscription, [{ type: 'Activated', data: { stripe_key: 'a', user_id: 1 } }])
// @ts-expect-error: an attribute is missing
given(Subscription, [{ type: 'Created', data: { user_id: 1, reward_id: 2 } }])
// @ts-expect-error: an attribute of another type
given(Subscription, [{ type: 'Created', data: { user_id: 'one', reward_id: 2, payment_source_key: null } }])
// @ts-expect-error: no such column
given(Subscription, [{ type: 'Changed', data: { statuss: 'active' } }])

// ── given without the aggregate ──────────────────────────────────────────────────────────────────────────────────
given([created]).when(Activate, input)
given().when(Create, { user_id: 1, reward_id: 2, payment_source_key: null })
// @ts-expect-error: no event of the command's aggregate
given([{ type: 'Paused' }]).when(Activate, input)
// @ts-expect-error: no attribute of this event
given([{ type: 'Activated', data: { stripe_key: 'a', user_id: 1 } }]).when(Activate, input)
// @ts-expect-error: an attribute is missing
given([{ type: 'Activated' }]).when(Activate, input)
// @ts-expect-error: an attribute of another type
given([{ type: 'Activated', data: { stripe_key: 12 } }]).when(Activate, input)

// ── when ─────────────────────────────────────────────────────────────────────────────────────────────────────────
const activating = given(Subscription, [created]).when(Activate, input, {
  now: '2018-04-06',
  expectedVersion: 1,
  defaults: { status: 'unpaid' },
})
// @ts-expect-error: an attribute is missing
given(Subscription, [created]).when(Activate, { id: 12 })
// @ts-expect-error: the key is missing
given(Subscription, [created]).when(Activate, { stripe_key: 'sub_66123' })
// @ts-expect-error: a command of another aggregate
given(Reward, []).when(Activate, input)
// @ts-expect-error: no such column
given([created]).when(Activate, input, { defaults: { statuss: 'unpaid' } })
// @ts-expect-error: no command
given([created]).when(Subscription, input)

// ── then ─────────────────────────────────────────────────────────────────────────────────────────────────────────
activating.then([{ type: 'Activated', data: { stripe_key: 'sub_66123' } }, { type: 'Deleted' }])
activating.then({ type: 'Activated', data: { stripe_key: 'sub_66123' } })
activating.thenRow({ status: 'active', user_id: 1n })
activating.thenRow(null)
activating.thenThrows('EW_COMMAND_REFUSED', /deactivated/, (error) => error instanceof Error)
const { row, events } = await activating.outcome()
same<typeof row, State<typeof Subscription> | null>()
const [first] = events
if (first?.type === 'Activated') same<typeof first.data.stripe_key, string | null>()

// @ts-expect-error: no event of this aggregate
activating.then([{ type: 'Paused' }])
// @ts-expect-error: an attribute is missing
activating.then([{ type: 'Activated' }])
// @ts-expect-error: no attribute of this event
activating.then([{ type: 'Deactivated', data: { stripe_key: 'sub_66123' } }])
// @ts-expect-error: no such column
activating.thenRow({ statuss: 'active' })
// @ts-expect-error: no value of this column
activating.thenRow({ status: 'paused' })
// @ts-expect-error: nothing is expected
await activating

// ── several aggregates ───────────────────────────────────────────────────────────────────────────────────────────
const Move = defineJointCommand({
  aggregates: { from: Reward, subscription: Subscription },
  build: () => ({ from: { type: 'Retired' }, subscription: { type: 'Deactivated' } }),
})
const key = { from: { id: 1 }, subscription: { id: 12 } }
const offered = { type: 'Offered', data: { title: 'a' } } as const
const moving = given(Move, { from: [offered], subscription: [created] }).when(Move, key)
given({ from: [offered], subscription: [created] }).when(Move, key, { expectedVersions: { from: 1 } })
moving.then({ from: { type: 'Retired' }, subscription: [{ type: 'Deactivated' }] })
moving.thenRow({ subscription: { status: 'inactive' }, from: null })
const both = await moving.outcome()
same<typeof both.from.row, State<typeof Reward> | null>()

// @ts-expect-error: an event of the other aggregate
given(Move, { from: [created] })
// @ts-expect-error: no aggregate of the command
given(Move, { to: [offered] })
// @ts-expect-error: an event of the other aggregate
given({ from: [created] }).when(Move, key)
// @ts-expect-error: no aggregate of the command
given({ to: [offered] }).when(Move, key)
// @ts-expect-error: the lists have no names
given([offered]).when(Move, key)
// @ts-expect-error: the lists have names
given({ it: [created] }).when(Activate, input)
// @ts-expect-error: an event of the other aggregate
moving.then({ from: { type: 'Deactivated' } })
// @ts-expect-error: no aggregate of the command
moving.then({ to: { type: 'Retired' } })
