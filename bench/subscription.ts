/** The seed's table and definition, and rows of a plausible mixture. */
import { defineAggregate, defineTable, type Integer, occurredAt } from '../src/definition/index.js'

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

export const CREATE_TABLE = `
create type public.subscription_status as enum ('unpaid', 'active', 'inactive');
create table public.subscriptions (
  id bigint primary key,
  user_id bigint not null,
  reward_id bigint not null,
  payment_source_key text,
  status public.subscription_status not null,
  stripe_key text,
  created_at timestamptz not null,
  activated_at timestamptz,
  deactivated_at timestamptz
)`

/**
 * 15 % were never paid (one event), 45 % are active (two), 38 % ended (three), 2 % contradict themselves as the slide's
 * row 13 does (four): 2.27 events a row.
 */
export const fillTable = (rows: number): string => `
insert into public.subscriptions
select i,
  1 + (i * 7919) % 20000,
  1 + (i * 104729) % 400,
  case when i % 29 <> 0 then 'pm_' || substr(md5('p' || i), 1, 12) end,
  (case when kind < 15 or kind >= 98 then 'unpaid' when kind < 60 then 'active' else 'inactive' end)::public.subscription_status,
  case when kind >= 15 then 'sub_' || substr(md5('s' || i), 1, 14) end,
  created,
  case when kind >= 15 then created + (i * 37 % 864000) * interval '1.000001 seconds' end,
  case when kind >= 60 then created + interval '20 days' + (i * 53 % 8640000) * interval '1.000003 seconds' end
from (
  select i, (i * 48271 % 99991) % 100 as kind,
    timestamptz '2018-02-03 00:00:00+00' + i * interval '7.000037 minutes' as created
  from generate_series(1::bigint, ${rows}) as i
) as plausible`
