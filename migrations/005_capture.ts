import { CAPTURE_COLD, CAPTURE_ENCODE } from '../src/migrate/capture-functions.js'
import { CAPTURE_LOOK } from '../src/migrate/capture-look.js'
import { CAPTURE_TRIGGERS } from '../src/migrate/capture-triggers.js'
import { recordedMigration } from '../src/migrate/recorded-migration.js'
import { refuseKeptEvents } from '../src/migrate/refuse-kept-events.js'
import { runDdl } from '../src/migrate/run-ddl.js'

/** Capture: what is captured, what could not be, and the functions that all tables' triggers share. */
export const { up, down } = recordedMigration('005_capture', {
  async up(knex) {
    await runDdl(knex, TABLES)
    await runDdl(knex, CAPTURE_ENCODE)
    await runDdl(knex, CAPTURE_COLD)
    await runDdl(knex, CAPTURE_TRIGGERS)
    await runDdl(knex, CAPTURE_LOOK)
  },

  async down(knex) {
    await runDdl(knex, REFUSE_CAPTURED)
    await refuseKeptEvents(knex)
    await runDdl(knex, DROP_LEFT)
    await runDdl(knex, DROP)
  },
})

const TABLES = `
create table eventward.captures (
  aggregate_type text collate "C" primary key,
  table_schema text not null,
  table_name text not null,
  relid oid not null,
  slug text not null unique,
  state text not null check (state in ('on', 'off')),
  epoch bigint not null default 0,
  phase text not null default 'dual_write' check (phase in ('dual_write', 'event_first', 'complete')),
  direct_writes text not null default 'capture' check (direct_writes in ('capture', 'refuse')),
  definition_hash text not null,
  row_shape text not null,
  partition oid not null,
  since timestamptz,
  phase_since timestamptz,
  verified_run bigint,
  verified_fingerprint text,
  verified_at timestamptz,
  verified_snapshot pg_snapshot,
  verified_horizon bigint,
  verified_hash text
);
comment on table eventward.captures is 'Which tables are captured, and what proof stands. Bookkeeping: no writer reads it';
comment on column eventward.captures.epoch is 'One more at each capture on and off: a backfill made under another one does not count';
comment on column eventward.captures.partition is 'The partition of events into which the triggers write';
comment on column eventward.captures.verified_fingerprint is 'What the table was when it was last proven; carried over by our own flips';

create table eventward.incomplete (
  id bigint generated always as identity primary key,
  aggregate_type text collate "C" not null,
  aggregate_id text collate "C",
  reason text not null,
  at timestamptz not null default clock_timestamp(),
  transaction_id xid8 not null default pg_current_xact_id(),
  resolved_at timestamptz
);
create index on eventward.incomplete (aggregate_type) where resolved_at is null;
comment on table eventward.incomplete is 'Writes of the application that could not be stored as events: the gate is closed until a full verify is clean';

-- An event that a write means, on its way into the events table.
create type eventward.pending as (
  type text,
  schema_version integer,
  data jsonb,
  metadata jsonb,
  occurred_at timestamptz,
  inferred boolean
);
`

const REFUSE_CAPTURED = `
do $block$
declare
  captured text := (select string_agg(format('%I.%I', table_schema, table_name), ', ') from eventward.captures where state = 'on');
begin
  if captured is not null then
    raise exception using
      errcode = 'EW006',
      message = format('%s is captured: its triggers would fail', captured),
      hint = 'Run "eventward capture off" for it first.';
  end if;
end
$block$;
`

/** What capture off leaves: the phase functions, which say 'legacy'. */
const DROP_LEFT = `
do $block$
declare
  left_over text;
begin
  for left_over in
    select p.oid::regprocedure::text
    from pg_proc p
    join eventward.captures c on p.proname in ('phase_' || c.slug, 'capture_before_' || c.slug,
      'capture_after_' || c.slug, 'capture_truncate_' || c.slug, 'capture_append_' || c.slug, 'capture_cold_' || c.slug)
    where p.pronamespace = 'eventward'::regnamespace
  loop
    execute 'drop function ' || left_over;
  end loop;
end
$block$;
`

const DROP = `
drop function eventward.capture_problems(text);
drop function eventward.fingerprint(oid);
drop function eventward.remove_triggers(text);
drop function eventward.install_triggers(text, text);
drop function eventward.captured_relations(oid);
drop function eventward.row_exists(oid, oid, smallint[], text[], record);
drop function eventward.stream_of_image(jsonb);
drop function eventward.moved_columns(oid, jsonb);
drop function eventward.moving(text, integer);
drop function eventward.leaves_partition(oid, record);
drop function eventward.announced(text, text);
drop function eventward.unknown_columns(jsonb, jsonb, text[]);
drop function eventward.difference(jsonb, jsonb, jsonb, text[]);
drop function eventward.image(oid, record, oid, smallint[]);
drop function eventward.key_names(oid, smallint[]);
drop function eventward.base_type(oid);
drop function eventward.try_timestamptz(text);
drop function eventward.try_timestamp(text);
drop function eventward.try_date(text);
drop function eventward.captured_metadata(jsonb);
drop function eventward.enc(anyelement);
drop type eventward.pending;
drop table eventward.incomplete;
drop table eventward.captures;
`
