/** What tells whether capture is what it seems: a fingerprint, and a list of what is wrong. */
export const CAPTURE_LOOK = `
-- All that could let a write pass unseen. Rows of the catalog by their xmin: disabled and enabled again is seen.
create function eventward.fingerprint(root oid) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $function$
  with recursive members (rel) as (
    select root
    union
    select i.inhrelid from members m join pg_inherits i on i.inhparent = m.rel
  ),
  -- A label of an enum can be renamed, which changes the text of rows and touches none of them.
  types (oid) as (
    select a.atttypid
    from members m
    join pg_attribute a on a.attrelid = m.rel and a.attnum > 0 and not a.attisdropped
    union
    select n.oid
    from types t
    join pg_type p on p.oid = t.oid
    cross join lateral (
      select p.typbasetype where p.typbasetype <> 0
      union all
      select p.typelem where p.typelem <> 0
      union all
      select r.rngsubtype from pg_range r where p.oid in (r.rngtypid, r.rngmultitypid)
      union all
      select a.atttypid from pg_attribute a where a.attrelid = p.typrelid and a.attnum > 0 and not a.attisdropped
    ) n (oid)
  ),
  parts (part) as (
    select json_build_array('relation', c.oid, c.relnamespace, c.relname, c.relkind, c.relfilenode, c.relpersistence,
      c.relrowsecurity, c.relforcerowsecurity, c.relhasrules, c.relispartition)::text
    from members m
    join pg_class c on c.oid = m.rel
    union all
    select json_build_array('column', a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation,
      a.attgenerated, a.attisdropped)::text
    from members m
    join pg_attribute a on a.attrelid = m.rel and a.attnum > 0
    union all
    select json_build_array('parent', i.inhrelid, i.inhparent, i.inhdetachpending)::text
    from members m
    join pg_inherits i on i.inhparent = m.rel
    union all
    select json_build_array('trigger', t.tgrelid, t.tgname, t.tgenabled, t.tgfoid, t.tgtype, t.xmin)::text
    from members m
    join pg_trigger t on t.tgrelid = m.rel and not t.tgisinternal
    union all
    select json_build_array('label', e.enumtypid, e.oid, e.enumlabel)::text
    from types t
    join pg_enum e on e.enumtypid = t.oid
    union all
    select json_build_array('rule', r.ev_class, r.rulename, r.ev_enabled, r.xmin)::text
    from members m
    join pg_rewrite r on r.ev_class = m.rel
    union all
    select json_build_array('function', p.oid, p.proname, p.xmin)::text
    from eventward.captures c
    join pg_proc p on p.pronamespace = 'eventward'::regnamespace
      and p.proname in ('capture_before_' || c.slug, 'capture_after_' || c.slug, 'capture_truncate_' || c.slug,
        'capture_append_' || c.slug, 'capture_cold_' || c.slug)
    where c.relid = root
    union all
    select json_build_array('events', c.partition, i.inhparent, i.inhdetachpending)::text
    from eventward.captures c
    left join pg_inherits i on i.inhrelid = c.partition
    where c.relid = root
  )
  select md5(string_agg(part, e'\\n' order by part collate "C")) from parts
$function$;
comment on function eventward.fingerprint(oid) is
  'What a table, its partitions, triggers and rules are: changed, no proof stands';

create function eventward.capture_problems(of_type text) returns table (problem text, detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  captured eventward.captures;
begin
  select * into captured from eventward.captures where aggregate_type = of_type;
  if captured.state is distinct from 'on' then
    return query select 'off', null::text;
    return;
  end if;
  if to_regclass(format('%I.%I', captured.table_schema, captured.table_name)) is distinct from captured.relid::regclass then
    return query select 'another_table', format('%I.%I', captured.table_schema, captured.table_name);
    return;
  end if;
  return query
    select 'trigger_missing', format('%s on %s', n.name, r.rel::regclass)
    from eventward.captured_relations(captured.relid) r
    cross join unnest(array['~eventward_before', '!eventward_after_insert', '!eventward_after_update', '~eventward_truncate']) n (name)
    where (r.leaf or n.name <> '~eventward_truncate')
      and not exists (select from pg_trigger t where t.tgrelid = r.rel and t.tgname = n.name);
  return query
    select 'trigger_not_always', format('%s on %s', t.tgname, r.rel::regclass)
    from eventward.captured_relations(captured.relid) r
    join pg_trigger t on t.tgrelid = r.rel
      and t.tgname in ('~eventward_before', '!eventward_after_insert', '!eventward_after_update', '~eventward_truncate')
    where t.tgenabled <> 'A';
  return query
    select 'trigger_foreign', format('%s on %s', t.tgname, r.rel::regclass)
    from eventward.captured_relations(captured.relid) r
    join pg_trigger t on t.tgrelid = r.rel
      and t.tgname in ('~eventward_before', '!eventward_after_insert', '!eventward_after_update', '~eventward_truncate')
    join pg_proc p on p.oid = t.tgfoid
    where p.pronamespace <> 'eventward'::regnamespace
      or p.proname <> case
        when t.tgname = '~eventward_before' then 'capture_before_'
        when t.tgname = '~eventward_truncate' then 'capture_truncate_'
        else 'capture_after_'
      end || captured.slug
      or split_part(encode(t.tgargs, 'escape'), '\\000', 1) <> captured.phase;
  -- 1: row, 2: before; 8: delete, 16: update.
  return query
    select 'later_trigger', format('%s on %s', t.tgname, r.rel::regclass)
    from eventward.captured_relations(captured.relid) r
    join pg_trigger t on t.tgrelid = r.rel and not t.tgisinternal
    where t.tgtype & 3 = 3
      and t.tgtype & 24 <> 0
      and t.tgenabled <> 'D'
      and t.tgname::text collate "C" > '~eventward_before';
  return query
    select 'child', i.inhrelid::regclass::text
    from eventward.captured_relations(captured.relid) r
    join pg_inherits i on i.inhparent = r.rel
    join pg_class c on c.oid = i.inhrelid and not c.relispartition;
  return query
    select 'rule', format('%s on %s', w.rulename, r.rel::regclass)
    from eventward.captured_relations(captured.relid) r
    join pg_rewrite w on w.ev_class = r.rel and w.ev_type in ('2', '3', '4');
  if not exists (select from pg_inherits where inhrelid = captured.partition and not inhdetachpending) then
    return query select 'partition_detached', captured.partition::regclass::text;
  end if;
end
$function$;
comment on function eventward.capture_problems(text) is 'What keeps capture from being whole; no row where nothing does';
`
