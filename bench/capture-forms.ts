/** Ways to keep an event of each write, written by hand for the seed's table: what our triggers are compared with. */

const COLUMNS = 'aggregate_type, aggregate_id, version, type, schema_version, data, metadata, occurred_at'
const METADATA = `'{"source":"trigger","definition":"0123456789ab","shape":"0123456789ab","writer":"by-hand/0.1.0"}'::pg_catalog.jsonb`

/** How a form writes; `table` and `events` are its own, so that none pays for what another has written. */
export interface Form {
  readonly name: string
  readonly table: string
  readonly events: string
  /** SQL that puts its triggers on. */
  readonly install: string
  /** The same write in all forms; by the floor, its event in the same statement. `$1`: a number, another one each time. */
  readonly statement: (write: Write) => string
}

export type Write = 'update' | 'insert' | 'bulk'

const SET = `set status = 'active', stripe_key = 'sub_' || pg_catalog.clock_timestamp(), activated_at = pg_catalog.clock_timestamp()`

/** The write alone. Keys go all over the table. */
const write = (table: string, rows: number) => (kind: Write) =>
  ({
    update: `update ${table} ${SET} where id = 1 + ($1::bigint * 7919) % ${rows}`,
    insert: `insert into ${table} values (10000000 + $1::bigint, 1, 2, 'pm_1', 'unpaid', null, pg_catalog.clock_timestamp(), null, null)`,
    bulk: `update ${table} ${SET} where id <= ${rows}`,
  })[kind]

const head = (events: string, id: string) => `
  select e.version
  from ${events} e
  where e.aggregate_type = 'Subscription' and e.aggregate_id = ${id}
  order by e.version desc
  limit 1`

/** The write and its event in one statement: what someone who changes every application could do. */
function floor(table: string, events: string, rows: number): Form['statement'] {
  const activated = (kind: Write) => `
with w as (${write(table, rows)(kind)} returning id::text as id, stripe_key, activated_at)
insert into ${events} (${COLUMNS})
select 'Subscription', w.id, h.version + 1, 'Activated', 1, jsonb_build_object('stripe_key', w.stripe_key), ${METADATA}, w.activated_at
from w
cross join lateral (${head(events, 'w.id')}) h`
  const created = `
with w as (${write(table, rows)('insert')} returning id::text as id, user_id, reward_id, payment_source_key, created_at)
insert into ${events} (${COLUMNS})
select 'Subscription', w.id, 1, 'Created', 1,
  jsonb_build_object('user_id', w.user_id, 'reward_id', w.reward_id, 'payment_source_key', w.payment_source_key), ${METADATA}, w.created_at
from w`
  return (kind) => (kind === 'insert' ? created : activated(kind))
}

const AUDIT = (table: string, events: string) => `
create table ${events} (id bigserial primary key, table_name text, op text, at timestamptz not null default clock_timestamp(), old jsonb, new jsonb);
create function ${table}_audit() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  insert into ${events} (table_name, op, old, new) values (tg_table_name, tg_op, to_jsonb(old), to_jsonb(new));
  return null;
end
$function$;
create trigger audit after insert or update or delete on ${table} for each row execute function ${table}_audit();`

/** The columns written out, and nothing that holds where they change: no guard, no streams that are not there yet. */
const COMPILED = (table: string, events: string) => `
create function ${table}_capture() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  activated boolean;
  deactivated boolean;
  rest jsonb;
begin
  if tg_op = 'INSERT' then
    insert into ${events} (${COLUMNS})
    values ('Subscription', new.id::text, 1, 'Created', 1,
      jsonb_build_object('user_id', new.user_id, 'reward_id', new.reward_id, 'payment_source_key', new.payment_source_key),
      ${METADATA}, new.created_at);
    return null;
  end if;
  activated := new.activated_at is not null and new.activated_at is distinct from old.activated_at and new.status = 'active';
  deactivated := new.deactivated_at is not null and new.deactivated_at is distinct from old.deactivated_at and new.status = 'inactive';
  if activated then
    insert into ${events} (${COLUMNS})
    select 'Subscription', new.id::text, h.version + 1, 'Activated', 1, jsonb_build_object('stripe_key', new.stripe_key), ${METADATA}, new.activated_at
    from (${head(events, 'new.id::text')}) h;
  end if;
  if deactivated then
    insert into ${events} (${COLUMNS})
    select 'Subscription', new.id::text, h.version + 1, 'Deactivated', 1, '{}', ${METADATA}, new.deactivated_at
    from (${head(events, 'new.id::text')}) h;
  end if;
  if new.user_id <> old.user_id or new.reward_id <> old.reward_id or new.created_at <> old.created_at
    or new.payment_source_key is distinct from old.payment_source_key
    or (not activated and (new.stripe_key is distinct from old.stripe_key or new.activated_at is distinct from old.activated_at))
    or (not deactivated and new.deactivated_at is distinct from old.deactivated_at)
    or (not activated and not deactivated and new.status <> old.status) then
    rest := jsonb_strip_nulls(jsonb_build_object(
      'user_id', case when new.user_id <> old.user_id then new.user_id end,
      'reward_id', case when new.reward_id <> old.reward_id then new.reward_id end,
      'status', case when new.status <> old.status then new.status end));
    insert into ${events} (${COLUMNS})
    select 'Subscription', new.id::text, h.version + 1, 'Changed', 1, rest, ${METADATA}, clock_timestamp()
    from (${head(events, 'new.id::text')}) h;
  end if;
  return new;
end
$function$;
create trigger capture before update on ${table} for each row execute function ${table}_capture();
create trigger capture_insert after insert on ${table} for each row execute function ${table}_capture();`

/** All forms for a table of so many rows; ours is installed by `captureOn`. */
export function forms(rows: number): readonly Form[] {
  const plain = (name: string, at: string, install: Form['install'] = ''): Form => ({
    name,
    table: `bench.${at}`,
    events: `bench.${at}_events`,
    install,
    statement: write(`bench.${at}`, rows),
  })
  return [
    plain(FORMS.none, 'nothing'),
    { ...plain(FORMS.floor, 'floor'), statement: floor('bench.floor', 'bench.floor_events', rows) },
    plain(FORMS.audit, 'audit', AUDIT('bench.audit', 'bench.audit_log')),
    plain(FORMS.compiled, 'compiled', COMPILED('bench.compiled', 'bench.compiled_events')),
    {
      name: FORMS.ours,
      table: 'public.subscriptions',
      events: 'public.events_subscription',
      install: '',
      statement: write('public.subscriptions', rows),
    },
  ]
}

export const FORMS = {
  none: 'no trigger',
  floor: 'write and event in one statement',
  audit: 'audit trigger',
  compiled: 'compiled, unguarded',
  ours: 'eventward',
} as const
