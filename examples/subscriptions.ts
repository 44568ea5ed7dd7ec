/**
 * The seed's subscription, as an application would write it: an aggregate, its commands, and who calls them.
 *
 *   DATABASE_URL=postgresql://me@localhost/shop npx tsx examples/subscriptions.ts
 *
 * The table must be captured (`eventward migrate up`, `eventward capture on subscriptions`). Outside of this repository
 * write `from 'eventward'`; the table's description is what `eventward generate` writes.
 */
import createKnex from 'knex'
import {
  defineAggregate,
  defineCommand,
  defineTable,
  type Integer,
  occurredAt,
  type StandardSchemaV1,
  withContext,
  withEvents,
} from '../src/index.js'

interface SubscriptionsRow {
  id: Integer
  user_id: Integer
  reward_id: Integer
  payment_source_key: string | null
  status: 'unpaid' | 'active' | 'inactive'
  stripe_key: string | null
  created_at: string
  activated_at: string | null
  deactivated_at: string | null
}

const subscriptions = defineTable<SubscriptionsRow>()({
  schema: 'public',
  name: 'subscriptions',
  key: ['id'],
  columns: {
    id: { type: 'bigint', nullable: false },
    user_id: { type: 'bigint', nullable: false },
    reward_id: { type: 'bigint', nullable: false },
    payment_source_key: { type: 'text', nullable: true },
    status: { type: 'public.subscription_status', nullable: false, values: ['unpaid', 'active', 'inactive'] },
    stripe_key: { type: 'text', nullable: true },
    created_at: { type: 'timestamp with time zone', nullable: false },
    activated_at: { type: 'timestamp with time zone', nullable: true },
    deactivated_at: { type: 'timestamp with time zone', nullable: true },
  },
})

export const Subscription = defineAggregate({
  name: 'Subscription',
  table: subscriptions,
  events: {
    Created: {
      creates: true,
      data: ['user_id', 'reward_id', 'payment_source_key'],
      set: { status: 'unpaid', created_at: occurredAt },
    },
    Activated: { data: ['stripe_key'], set: { status: 'active', activated_at: occurredAt } },
    Deactivated: { set: { status: 'inactive', deactivated_at: occurredAt } },
  },
})

/** Any validator that speaks Standard Schema will do (zod, valibot, arktype); this one takes what it is given. */
const given = <T extends object>(): StandardSchemaV1<T, T> => ({
  '~standard': { version: 1, vendor: 'example', validate: (value) => ({ value: value as T }) },
})

export const Subscribe = defineCommand({
  name: 'Subscribe',
  aggregate: Subscription,
  creates: true,
  attributes: given<{ user_id: number; reward_id: number; payment_source_key: string }>(),
  build: (_, data) => ({ type: 'Created', data }),
})

export const Activate = defineCommand({
  name: 'Activate',
  aggregate: Subscription,
  attributes: given<{ stripe_key: string }>(),
  validate: (subscription) => subscription.status === 'inactive' && 'it was deactivated',
  noop: (subscription) => subscription.status === 'active',
  build: (_, { stripe_key }) => ({ type: 'Activated', data: { stripe_key } }),
})

async function main(): Promise<void> {
  const { DATABASE_URL: connection } = process.env
  if (connection === undefined) throw new TypeError('set DATABASE_URL')
  const knex = createKnex({ client: 'pg', connection })
  try {
    const created = await Subscribe.call(
      knex,
      { id: 12, user_id: 123, reward_id: 334, payment_source_key: '224' },
      { metadata: { user_id: 123 } },
    )
    const activated = await Activate.call(
      knex,
      { id: 12, stripe_key: 'sub_66123' },
      { metadata: { notification_id: 33456 } },
    )
    const again = await Activate.call(knex, { id: 12, stripe_key: 'sub_66123' })
    for (const event of [created, activated, again]) {
      console.log(
        event === null ? 'nothing to do' : `${event.version} ${event.type} ${JSON.stringify(event.data)}`,
      )
    }
    // Old code goes on as it is: its writes are captured, and bear who made them.
    const db = withEvents(knex)
    await withContext({ actor: 'ada', requestId: 'r-1' }, () =>
      db('subscriptions').where({ id: 12 }).update({ status: 'inactive', deactivated_at: knex.fn.now() }),
    )
    await Activate.call(knex, { id: 12, stripe_key: 'sub_66123' }).catch((error: Error) =>
      console.log(error.message),
    )
  } finally {
    await knex.destroy()
  }
}

await main()
