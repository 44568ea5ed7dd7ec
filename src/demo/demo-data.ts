/** How many rows the demo's table gets; the two of the slide are among them. */
export const DEMO_ROWS = 50_000

/** The table of the seed's subscriptions, as an application would have it. */
export const CREATE_SUBSCRIPTIONS = `
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
)`

/** Numbers the writes to a row in the order of their commits: see `Write.ticket`. No part of what is moved. */
export const CREATE_LEDGER = 'create sequence public.ledger'

/** The two rows of the slide. The second contradicts itself: unpaid, and yet activated and deactivated. */
export const INSERT_SLIDE = `
insert into public.subscriptions
  (id, user_id, reward_id, payment_source_key, status, stripe_key, created_at, activated_at, deactivated_at)
values
  (12, 123, 234, 'pm_8e12', 'active', 'sub_66123', '2018-02-01 00:00:00+00', '2018-02-01 00:00:00+00', null),
  (13, 345, 234, 'pm_8e13', 'unpaid', 'sub_66134', '2018-02-02 00:00:00+00', '2018-02-02 00:00:00+00',
    '2018-04-06 00:00:00+00')`

/**
 * 49,998 plausible rows, the same each time: 30 % were never paid, 50 % are active, 18 % ended; 2 % contradict
 * themselves as row 13 does, or lost a timestamp. Times go down to the microsecond.
 */
export const INSERT_PLAUSIBLE = `
insert into public.subscriptions
  (id, user_id, reward_id, payment_source_key, status, stripe_key, created_at, activated_at, deactivated_at)
select
  i,
  1 + (i * 7919) % 20000,
  1 + (i * 104729) % 400,
  case when i % 29 <> 0 then 'pm_' || substr(md5('p' || i), 1, 12) end,
  (case
    when kind < 30 then 'unpaid'
    when kind < 80 then 'active'
    when kind < 98 then 'inactive'
    when kind = 98 then 'unpaid'
    else 'active'
  end)::public.subscription_status,
  case when kind >= 30 then 'sub_' || substr(md5('s' || i), 1, 14) end,
  created,
  case when kind between 30 and 98 then created + (i * 37 % 864000) * interval '1.000001 seconds' end,
  case when kind between 80 and 98 then created + interval '20 days' + (i * 53 % 8640000) * interval '1.000003 seconds' end
from (
  select
    i,
    (i * 48271 % 99991) % 100 as kind,
    timestamptz '2018-02-03 00:00:00+00' + i * interval '73.000037 minutes' as created
  from generate_series(1::bigint, ${DEMO_ROWS}) as i
  where i not in (12, 13)
) as plausible`
