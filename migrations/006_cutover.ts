import { recordedMigration } from '../src/migrate/recorded-migration.js'
import { runDdl } from '../src/migrate/run-ddl.js'

/** The flip between phases, and the way back that works from psql alone. */
export const { up, down } = recordedMigration('006_cutover', {
  async up(knex) {
    await runDdl(knex, FLIP)
    await runDdl(knex, LOCK_BLOCKERS)
    await runDdl(knex, ROLLBACK)
  },

  // They hold nothing. A table that is event_first stays so: its triggers are those of 005.
  async down(knex) {
    await runDdl(
      knex,
      `
drop function eventward.rollback(text);
drop function eventward.lock_blockers(oid);
drop function eventward.flip(text, text);
`,
    )
  },
})

/**
 * The one piece of code that changes a phase: advance, rehearse, rollback and complete call it. EW005: no such step;
 * EW009: not captured; EW007: capture is not sound.
 *
 * SHARE ROW EXCLUSIVE lets in no writer, whatever the age of its snapshot, and waits out those that are at work. The
 * proof that stands is carried over only where nothing but this very flip changed what the fingerprint sees.
 */
const FLIP = `
create function eventward.flip(of_type text, to_phase text) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  captured record;
  problem record;
  fingerprint_before text;
  fingerprint_after text;
begin
  select c.* into captured from eventward.captures c where c.aggregate_type = of_type;
  if not found or captured.state <> 'on' or to_regclass(captured.relid::regclass::text) is null then
    raise exception using
      errcode = 'EW009',
      message = format('%s is not captured', coalesce(captured.table_schema || '.' || captured.table_name, of_type)),
      hint = 'A table that is not captured has the phase legacy. Turn capture on first (eventward capture on).';
  end if;

  execute format('lock table %s in share row exclusive mode', captured.relid::regclass);
  -- Read again under the lock: another flip may have come first.
  select c.* into captured from eventward.captures c where c.aggregate_type = of_type for update;
  if captured.state <> 'on' then
    raise exception using
      errcode = 'EW009',
      message = format('capture of %I.%I was turned off', captured.table_schema, captured.table_name),
      hint = 'Look at eventward capture status.';
  end if;
  if captured.phase = to_phase then
    return captured.phase;
  end if;
  if captured.phase = 'complete' then
    raise exception using
      errcode = 'EW005',
      message = format('%I.%I is complete since %s: its way back was closed on purpose', captured.table_schema,
        captured.table_name, to_char(captured.phase_since at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"')),
      hint = 'Rows are still kept true by each command; but no step leads back to dual_write.';
  end if;
  if (captured.phase, to_phase) not in
    (('dual_write', 'event_first'), ('event_first', 'dual_write'), ('event_first', 'complete')) then
    raise exception using
      errcode = 'EW005',
      message = format('%I.%I: no step leads from %s to %s', captured.table_schema, captured.table_name,
        captured.phase, to_phase),
      hint = 'dual_write -> event_first -> complete, and back from event_first to dual_write.';
  end if;
  -- The way back is never barred by a broken trigger: it makes them anew.
  if to_phase <> 'dual_write' then
    select p.problem, p.detail into problem from eventward.capture_problems(of_type) p limit 1;
    if found then
      raise exception using
        errcode = 'EW007',
        message = format('%I.%I: capture is not sound: %s', captured.table_schema, captured.table_name,
          coalesce(problem.detail, problem.problem)),
        hint = 'Look at eventward capture status.';
    end if;
  end if;

  fingerprint_before := eventward.fingerprint(captured.relid);
  perform eventward.install_triggers(of_type, to_phase);
  fingerprint_after := eventward.fingerprint(captured.relid);

  update eventward.captures c
  set phase = to_phase,
    phase_since = clock_timestamp(),
    verified_fingerprint = case
      when c.verified_fingerprint = fingerprint_before then fingerprint_after
      else c.verified_fingerprint
    end
  where c.aggregate_type = of_type;
  return captured.phase;
end
$function$;
comment on function eventward.flip(text, text) is
  'Changes the phase of a captured table under SHARE ROW EXCLUSIVE; gives the phase that it had';
`

/** Who holds a lock that SHARE ROW EXCLUSIVE conflicts with: as in `store/lock-blockers.ts`. Anyone may read pg_locks. */
const LOCK_BLOCKERS = `
create function eventward.lock_blockers(rel oid) returns text
language sql stable
set search_path = pg_catalog, pg_temp
begin atomic
  select string_agg(b.who, ', ' order by b.since)
  from (
    select distinct
      case
        when l.pid is null then 'a prepared transaction'
        when a.backend_type = 'autovacuum worker' then format('pid %s (autovacuum)', l.pid)
        else format('pid %s (%s)', l.pid, coalesce(nullif(a.application_name, ''), a.usename, '?'))
      end as who,
      a.xact_start as since
    from pg_locks l
    left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'relation'
      and l.database = (select d.oid from pg_database d where d.datname = current_database())
      and l.relation in (select rel union select t.relid from pg_partition_tree(rel) t)
      and l.granted
      and l.pid is distinct from pg_backend_pid()
      and l.mode not in ('AccessShareLock', 'RowShareLock', 'SIReadLock')
  ) b;
end;
comment on function eventward.lock_blockers(oid) is
  'Names the sessions whose locks on a table keep a flip waiting';
`

/**
 * The way back for whoever has nothing but psql. The lock is taken in a subtransaction, so that those in the way can be
 * named where it is not granted.
 */
const ROLLBACK = `
create function eventward.rollback(table_name text) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  wanted text := $1;
  captured record;
  candidates bigint;
  names text;
  was text;
  run bigint;
  asked timestamptz := clock_timestamp();
  locked timestamptz;
  given_timeout text := current_setting('lock_timeout');
begin
  select count(*) over (), c.* into captured
  from eventward.captures c
  where c.state = 'on'
    and wanted in (c.table_name, c.table_schema || '.' || c.table_name, format('%I', c.table_name),
      format('%I.%I', c.table_schema, c.table_name))
  -- Without a schema, public's comes first, as everywhere on our command line.
  order by (c.table_schema || '.' || c.table_name = wanted) desc, (c.table_schema = 'public') desc
  limit 1;
  if not found then
    select string_agg(format('%s.%s', c.table_schema, c.table_name), ', ' order by c.table_schema, c.table_name)
    into names
    from eventward.captures c
    where c.state = 'on';
    raise exception using
      errcode = 'EW009',
      message = format('no captured table is called %s', quote_literal(coalesce(wanted, ''))),
      hint = case
        when names is null then 'No table is captured: all of them are legacy, and nothing is to be rolled back.'
        else format('Captured are: %s', names)
      end;
  end if;
  candidates := captured.count;
  if candidates > 1 and captured.table_schema <> 'public' and captured.table_schema || '.' || captured.table_name <> wanted then
    raise exception using
      errcode = 'EW009',
      message = format('%s tables are called %s', candidates, quote_literal(wanted)),
      hint = format('Write the schema as well, such as %s', quote_literal(captured.table_schema || '.' || captured.table_name));
  end if;
  names := case
    when captured.table_schema = 'public' then captured.table_name
    else captured.table_schema || '.' || captured.table_name
  end;

  -- Writers queue behind a lock that waits. Whoever has set a lock_timeout has said how long they may.
  if given_timeout = '0' then
    perform set_config('lock_timeout', '400ms', true);
  end if;
  begin
    execute format('lock table %s in share row exclusive mode', captured.relid::regclass);
  exception when lock_not_available then
    names := coalesce(eventward.lock_blockers(captured.relid), 'someone who is gone by now');
    raise exception using
      errcode = '55P03',
      message = format('%I.%I is locked by %s; nothing was changed', captured.table_schema, captured.table_name, names),
      hint = case
        when names like '%autovacuum%' then
          'An autovacuum yields after deadlock_timeout only: run it again after set lock_timeout = ''3s''.'
        else 'Run it again; to wait longer (writers wait meanwhile), set lock_timeout = ''3s'' first.'
      end;
  end;
  locked := clock_timestamp();

  was := eventward.flip(captured.aggregate_type, 'dual_write');
  perform set_config('lock_timeout', given_timeout, true);
  if was = 'dual_write' then
    return format('%s is dual_write already: rows are its truth, and each write is captured. Nothing was changed.', names);
  end if;

  insert into eventward.runs (command, table_schema, table_name, aggregate_type, state, definition_hash, params,
    application_name, started_at, finished_at, outcome)
  values ('cutover', captured.table_schema, captured.table_name, captured.aggregate_type, 'complete',
    captured.definition_hash, jsonb_build_object('action', 'rollback', 'by', 'sql'),
    current_setting('application_name'), asked, clock_timestamp(),
    jsonb_build_object('result', 'done', 'from', was, 'to', 'dual_write', 'attempts', 1,
      'waitedMs', round(extract(epoch from locked - asked)::numeric * 1000, 1),
      'lockedMs', round(extract(epoch from clock_timestamp() - locked)::numeric * 1000, 1)))
  returning id into run;
  return format('%s is dual_write again: rows are its truth, each write is captured as before, and all events are kept. '
    'Locked for %s ms, run %s. Next: eventward verify %s', names,
    round(extract(epoch from clock_timestamp() - locked)::numeric * 1000, 1), run, names);
end
$function$;
comment on function eventward.rollback(text) is
  'The way back from event_first to dual_write: select eventward.rollback(''subscriptions''). Takes SHARE ROW EXCLUSIVE';
`
