/** What someone who knows the columns would write by hand: the floors that everything is divided by. */

const COLUMNS = 'aggregate_type, aggregate_id, version, type, schema_version, data, metadata, occurred_at'
const METADATA = `{"source":"backfill","run":"1","definition":"0123456789ab","writer":"by-hand/0.1.0"}`

const event = (type: string, version: string, data: string, at: string, where: string, inferred = false) => `
  select 'Subscription', s.id::text, ${version}, '${type}', 1, ${data},
    '${inferred ? METADATA.replace('}', ',"inferred":true}') : METADATA}'::jsonb, ${at}
  from public.subscriptions s
  where ${where}`

/** One INSERT ... SELECT, UNION ALL of one SELECT per event type. */
export const BACKFILL_BY_HAND = `
insert into public.events (${COLUMNS})
${[
  event(
    'Created',
    '1',
    `jsonb_build_object('user_id', s.user_id, 'reward_id', s.reward_id, 'payment_source_key', s.payment_source_key)`,
    's.created_at',
    'true',
  ),
  event(
    'Activated',
    '2',
    `jsonb_build_object('stripe_key', s.stripe_key)`,
    's.activated_at',
    's.activated_at is not null',
  ),
  event('Deactivated', '3', `'{}'::jsonb`, 's.deactivated_at', 's.deactivated_at is not null'),
  event(
    'Changed',
    '4',
    `jsonb_build_object('status', s.status)`,
    's.created_at',
    `s.status = 'unpaid' and s.deactivated_at is not null`,
    true,
  ),
].join('\n  union all')}`

/**
 * One sequential scan that hashes all rows, and one over the events: by the types' own hash functions, which is three
 * times cheaper than to hash the rows' text.
 */
export const VERIFY_BY_HAND = `
select (select sum(hash_record_extended(t, 0)) from public.subscriptions t) as rows,
  (select sum(hash_record_extended(e, 0))
    from (select aggregate_id, version, type, data, occurred_at from public.events) e) as events`

/** What a backfill wrote: counts by type, and a hash of all that two writers must agree on. */
export const DIGEST = `
select type, count(*)::text as events,
  sum(hashtextextended(concat_ws('|', aggregate_type, aggregate_id, version, schema_version, data::text, occurred_at::text,
    metadata ->> 'inferred'), 0))::text as hash
from public.events
group by type
order by type`
