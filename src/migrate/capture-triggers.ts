/** The four triggers of a captured table: put on, flipped and taken off by these two functions alone. */
export const CAPTURE_TRIGGERS = `
-- The table itself and all its partitions: rows are written to, and can be truncated from, each of them.
create function eventward.captured_relations(root oid) returns table (rel oid, leaf boolean)
language sql stable
set search_path = pg_catalog, pg_temp
as $function$
  select c.oid, c.relkind <> 'p'
  from pg_class c
  where c.oid = root or c.oid in (select t.relid from pg_partition_tree(root::regclass) t)
$function$;

-- Needs SHARE ROW EXCLUSIVE on the table: it waits out older writers, so that no write is made under a phase that has
-- passed, whatever its isolation level or the age of its snapshot.
create function eventward.install_triggers(of_type text, to_phase text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set standard_conforming_strings = on
as $function$
declare
  captured eventward.captures;
  arguments text;
  relation record;
  name text;
  missing bigint;
begin
  select * into strict captured from eventward.captures where aggregate_type = of_type;
  -- A third argument tells the triggers to refuse direct writes.
  arguments := format('%L, %L', to_phase, captured.direct_writes)
    || case when to_phase <> 'dual_write' and captured.direct_writes = 'refuse' then ', ''refuse''' else '' end;

  -- "~" sorts after every letter: the last BEFORE trigger sees the row that will be stored. "!" sorts before them.
  execute format('create or replace trigger "~eventward_before" before update or delete on %s '
    'for each row execute function eventward.%I(%s)',
    captured.relid::regclass, 'capture_before_' || captured.slug, arguments);
  execute format('create or replace trigger "!eventward_after_insert" after insert on %s '
    'for each row execute function eventward.%I(%s)',
    captured.relid::regclass, 'capture_after_' || captured.slug, arguments);
  -- No column in WHEN: it would refuse the column's DROP and its change of type. The BEFORE trigger sets the setting
  -- where a key changes; a row that is queued for nothing is passed over.
  execute format('create or replace trigger "!eventward_after_update" after update on %s '
    'for each row when (current_setting(''eventward.moved'', true) = ''on'') execute function eventward.%I(%s)',
    captured.relid::regclass, 'capture_after_' || captured.slug, arguments);

  for relation in select * from eventward.captured_relations(captured.relid) loop
    if relation.leaf then
      execute format('create or replace trigger "~eventward_truncate" before truncate on %s '
        'for each statement execute function eventward.%I(%s)',
        relation.rel::regclass, 'capture_truncate_' || captured.slug, arguments);
    end if;
    -- Replacing makes them ordinary ones, which session_replication_role passes over.
    for name in
      select t.tgname
      from pg_trigger t
      where t.tgrelid = relation.rel
        and t.tgname in ('~eventward_before', '!eventward_after_insert', '!eventward_after_update', '~eventward_truncate')
    loop
      execute format('alter table only %s enable always trigger %I', relation.rel::regclass, name);
    end loop;
  end loop;

  select count(*) into missing
  from eventward.captured_relations(captured.relid) r
  cross join unnest(array['~eventward_before', '!eventward_after_insert', '!eventward_after_update', '~eventward_truncate']) n (name)
  where (r.leaf or n.name <> '~eventward_truncate')
    and not exists (
      select
      from pg_trigger t
      where t.tgrelid = r.rel
        and t.tgname = n.name
        and t.tgenabled = 'A');
  if missing > 0 then
    raise exception using
      errcode = 'EW004',
      message = format('%s would not be captured: %s of its triggers are not ENABLE ALWAYS', captured.relid::regclass, missing);
  end if;

  execute format('create or replace function eventward.%I() returns text language sql volatile as %L',
    'phase_' || captured.slug, format('select %L', to_phase));
end
$function$;
comment on function eventward.install_triggers(text, text) is
  'Puts the triggers of a captured table on, with a phase as their argument; the caller holds SHARE ROW EXCLUSIVE';

-- Needs ACCESS EXCLUSIVE on the table: a backfill chunk at work is waited out.
create function eventward.remove_triggers(of_type text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set standard_conforming_strings = on
as $function$
declare
  captured eventward.captures;
  relation record;
  name text;
begin
  select * into strict captured from eventward.captures where aggregate_type = of_type;
  foreach name in array array['~eventward_before', '!eventward_after_insert', '!eventward_after_update'] loop
    if exists (select from pg_trigger where tgrelid = captured.relid and tgname = name) then
      execute format('drop trigger %I on %s', name, captured.relid::regclass);
    end if;
  end loop;
  for relation in select * from eventward.captured_relations(captured.relid) loop
    for name in
      select t.tgname
      from pg_trigger t
      where t.tgrelid = relation.rel
        and t.tgparentid = 0
        and t.tgname in ('~eventward_before', '!eventward_after_insert', '!eventward_after_update', '~eventward_truncate')
    loop
      execute format('drop trigger %I on %s', name, relation.rel::regclass);
    end loop;
  end loop;
  -- On a partition that was detached since, TRUNCATE's own stays: without it, nothing needs the function.
  for relation in
    select t.tgrelid as rel, t.tgname
    from pg_trigger t
    where t.tgfoid = to_regproc(format('eventward.%I', 'capture_truncate_' || captured.slug))
  loop
    execute format('drop trigger %I on %s', relation.tgname, relation.rel::regclass);
  end loop;
  execute format('create or replace function eventward.%I() returns text language sql volatile as %L',
    'phase_' || captured.slug, 'select ''legacy''');
end
$function$;
comment on function eventward.remove_triggers(text) is
  'Takes the triggers of a captured table off; the caller holds ACCESS EXCLUSIVE';
`
