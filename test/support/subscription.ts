/** The seed's table and definition, as `eventward init` would write them. */
import { defineAggregate, defineTable, type Integer, occurredAt } from '../../src/definition/index.js'

export interface SubscriptionsRow {
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

export const subscriptions = defineTable<SubscriptionsRow>()({
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

/** The type and the table. */
export const createSubscriptions = `
  create type public.subscription_status as enum ('unpaid', 'active', 'inactive');
  create table public.subscriptions (
    id                 bigint primary key,
    user_id            bigint not null,
    reward_id          bigint not null,
    payment_source_key text,
    status             public.subscription_status not null,
    stripe_key         text,
    created_at         timestamptz not null,
    activated_at       timestamptz,
    deactivated_at     timestamptz
  );
`

/** The two rows of the slide; the second contradicts itself: unpaid, and deactivated. */
export const insertSubscriptions = `
  insert into public.subscriptions
    (id, user_id, reward_id, payment_source_key, status, stripe_key, created_at, activated_at, deactivated_at)
  values
    (12, 123, 234, 'pm_1', 'active', 'sub_66123', '2018-02-01 00:00:00+00', '2018-02-01 00:00:00+00', null),
    (13, 345, 234, 'pm_2', 'unpaid', 'sub_66134', '2018-02-02 00:00:00+00', '2018-02-02 00:00:00+00',
      '2018-04-06 00:00:00+00');
`
