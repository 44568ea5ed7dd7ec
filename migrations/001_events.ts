import type { Knex } from 'knex'
import { EVENTS_MARKER, eventsTableOf } from '../src/migrate/events-table.js'
import { installedEvents } from '../src/migrate/installed-events.js'
import { recordedMigration } from '../src/migrate/recorded-migration.js'
import { refuseForeign } from '../src/migrate/refuse-foreign.js'
import { refuseKeptEvents } from '../src/migrate/refuse-kept-events.js'
import { runDdl } from '../src/migrate/run-ddl.js'
import { ident, literal, qualified } from '../src/sql/index.js'

/** The schema `eventward`, the events table, and what keeps it append-only. */
export const { up, down } = recordedMigration('001_events', {
  async up(knex) {
    const events = eventsTableOf(knex)
    await refuseForeign(knex, events)
    await runDdl(knex, BOOKKEEPING)
    await runDdl(knex, REFUSE_CHANGE)
    await runDdl(knex, eventsTable(qualified(events.schema, events.table)))
    await runDdl(knex, CREATE_PARTITION)
    await knex.raw('insert into eventward.settings (key, value) values (?, ?), (?, ?)', [
      'events_schema',
      events.schema,
      'events_table',
      events.table,
    ])
  },

  async down(knex) {
    await refuseKeptEvents(knex)
    const events = await installedEvents(knex)
    if (events !== null) await runDdl(knex, `drop table ${qualified(events.schema, events.table)}`)
    await dropBookkeeping(knex)
  },
})

const BOOKKEEPING = `
create schema if not exists eventward;
comment on schema eventward is 'eventward: what the move to event sourcing keeps beside the events';

create table eventward.migrations (
  name text primary key,
  applied_at timestamptz not null default clock_timestamp()
);
comment on table eventward.migrations is 'Migrations of eventward that are applied, whoever ran them';

create table eventward.settings (
  key text primary key,
  value text not null
);
comment on table eventward.settings is 'events_schema, events_table, environment (a label such as production)';
`

/** EW001: recognised by callers; the row trigger's clones and the TRUNCATE triggers all call this one function. */
const REFUSE_CHANGE = `
create function eventward.refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'EW001',
    message = format('%I.%I is append-only: %s is refused', tg_table_schema, tg_table_name, lower(tg_op)),
    hint = 'A stored event is never changed. Append another event that corrects it (eventward verify --repair).',
    schema = tg_table_schema,
    table = tg_table_name;
end
$function$;
comment on function eventward.refuse_change() is 'Keeps events append-only; raises EW001';
`

/**
 * No CHECK constraint: each statement reads all of them anew from the catalog, which costs a capture trigger, one
 * statement a row, a tenth of its time. Versions are asked for by verify.
 *
 * transaction_id first: defaults are evaluated in the order of columns, and who draws a position must have its id already
 * (a reader's mark counts on it).
 *
 * bigserial: a sequence with cache 1 (a greater cache hands out positions out of order), owned by the table.
 * There is no default partition: an event of an unknown type must fail, not land where nobody looks.
 */
function eventsTable(name: string): string {
  return `
create table ${name} (
  transaction_id xid8 not null default pg_current_xact_id(),
  position bigserial not null,
  aggregate_type text collate "C" not null,
  aggregate_id text collate "C" not null,
  version integer not null,
  type text not null,
  schema_version integer not null default 1,
  data jsonb not null,
  metadata jsonb not null default '{}',
  occurred_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (aggregate_type, aggregate_id, version)
) partition by list (aggregate_type);
create index on ${name} (position);

create trigger eventward_append_only
before update or delete on ${name}
for each row execute function eventward.refuse_change();
create trigger eventward_no_truncate
before truncate on ${name}
for each statement execute function eventward.refuse_change();
-- An ordinary trigger is passed over under session_replication_role = replica.
alter table ${name} enable always trigger eventward_append_only;
alter table ${name} enable always trigger eventward_no_truncate;

comment on table ${name} is ${literal(EVENTS_MARKER)};
comment on column ${name}.position is 'Global order of writing';
comment on column ${name}.aggregate_id is 'Canonical text of the key; of several columns a JSON array of their texts';
comment on column ${name}.version is '1, 2, ... per stream, without gaps';
comment on column ${name}.occurred_at is 'When it happened';
comment on column ${name}.recorded_at is 'When it was written';
comment on column ${name}.transaction_id is 'With a snapshot as cursor: a reader of the log misses no event';
`
}

/**
 * A partition is made as a table of its own and attached, which locks the events table against other DDL only:
 * "create table ... partition of" would wait for, and deadlock with, the writers of every other aggregate.
 */
const CREATE_PARTITION = `
create function eventward.create_partition(of_type text, partition_name text) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
set standard_conforming_strings = on
as $function$
declare
  events_schema text := (select value from eventward.settings where key = 'events_schema');
  events_table text := (select value from eventward.settings where key = 'events_table');
  parent text := format('%I.%I', events_schema, events_table);
  child text := format('%I.%I', events_schema, partition_name);
  existing text;
  parent_owner text;
  guarded bigint;
begin
  -- One at a time. ONLY: the partitions, and who writes to them, are left alone.
  execute format('lock table only %s in share update exclusive mode', parent);

  select format('%I.%I', n.nspname, c.relname) into existing
  from pg_inherits i
  join pg_class c on c.oid = i.inhrelid
  join pg_namespace n on n.oid = c.relnamespace
  where i.inhparent = parent::regclass
    -- Written back by the server with quotes doubled, and never as an escape string.
    and pg_get_expr(c.relpartbound, c.oid) = format('FOR VALUES IN (''%s'')', replace(of_type, '''', ''''''));
  if existing is not null then
    return existing;
  end if;

  execute format(
    'create table %s (like %s including defaults including constraints, constraint %I check (aggregate_type = %L))',
    child, parent, 'eventward_aggregate_type', of_type);
  execute format('alter table %s add primary key (aggregate_type, aggregate_id, version)', child);
  execute format('create index on %s (position)', child);
  execute format(
    'create trigger eventward_no_truncate before truncate on %s for each statement execute function eventward.refuse_change()',
    child);
  execute format('alter table %s enable always trigger eventward_no_truncate', child);
  -- DETACH takes the clone of the parent's row trigger away: this one stays.
  execute format(
    'create trigger eventward_append_only_own before update or delete on %s for each row execute function eventward.refuse_change()',
    child);
  execute format('alter table %s enable always trigger eventward_append_only_own', child);
  execute format('comment on table %s is %L', child, format('Events of %s', of_type));
  -- Whoever may alter the events table may alter each part of it.
  select relowner::regrole::text into parent_owner from pg_class where oid = parent::regclass;
  execute format('alter table %s owner to %s', child, parent_owner);
  execute format('alter table %s attach partition %s for values in (%L)', parent, child, of_type);
  -- It spared ATTACH a look at the rows; the bound says the same.
  execute format('alter table %s drop constraint eventward_aggregate_type', child);
  -- The clone of the parent's row trigger may come up as an ordinary one.
  execute format('alter table %s enable always trigger eventward_append_only', child);

  select count(*) into guarded
  from pg_trigger
  where tgrelid = child::regclass
    and tgname in ('eventward_append_only', 'eventward_append_only_own', 'eventward_no_truncate')
    and tgenabled = 'A';
  if guarded <> 3 then
    raise exception using
      errcode = 'EW003',
      message = format('%s would not be append-only: %s of 3 triggers are ENABLE ALWAYS', child, guarded);
  end if;
  return child;
end
$function$;
comment on function eventward.create_partition(text, text) is
  'Makes and attaches the partition of an aggregate type unless there is one; gives its qualified name';
`

/** RESTRICT, as ever: what others put into our schema stays, and the step fails. */
async function dropBookkeeping(knex: Knex): Promise<void> {
  await runDdl(
    knex,
    `
drop function eventward.create_partition(text, text);
drop function eventward.refuse_change();
drop table eventward.settings;
drop table eventward.migrations;
drop schema ${ident('eventward')};
`,
  )
}
