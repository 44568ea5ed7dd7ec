/**
 * What decides how a value is written as text, pinned on a function: the twin of `OUTPUT_SETTINGS` (src/db), written
 * out, because a migration never changes.
 */
const OUTPUT_SETTINGS = `set search_path = pg_catalog, pg_temp
set TimeZone = 'UTC'
set DateStyle = 'ISO, YMD'
set IntervalStyle = 'postgres'
set bytea_output = 'hex'
set extra_float_digits = 1
set lc_monetary = 'C'
set quote_all_identifiers = off
set xmloption = 'content'`

/** Canonical text of a value within a trigger, whose session's settings are the application's. */
export const CAPTURE_ENCODE = `
-- STRICT, so that a NULL costs nothing; the settings cost about 1 us each, which is why they stand here and not on the
-- trigger functions: most values need none of them.
create function eventward.enc(value anyelement) returns text
language plpgsql stable strict parallel safe
${OUTPUT_SETTINGS}
as $function$ begin return format('%s', value); end $function$;
comment on function eventward.enc(anyelement) is 'The canonical text of a value, whatever the settings of the session';

-- Who wrote: with what the application says in eventward.metadata, but for what eventward itself says of an event and acts
-- upon. It is '' and not NULL after a SET LOCAL.
create function eventward.captured_metadata(base jsonb) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  said text := nullif(current_setting('eventward.metadata', true), '');
  known jsonb := base || jsonb_build_object('app', current_setting('application_name'), 'user', session_user);
begin
  if said is null then
    return known;
  end if;
  begin
    if jsonb_typeof(said::jsonb) = 'object' then
      return (said::jsonb - array['source', 'definition', 'writer', 'shape', 'cold', 'inferred', 'existing',
        'movedFrom', 'movedTo', 'enqueued', 'imported']) || known;
    end if;
  exception when others then
    null;
  end;
  return known || jsonb_build_object('unreadable', said);
end
$function$;
`

/** The cold path: rows read by name, at run time. Ten times slower; no ALTER TABLE breaks it. */
export const CAPTURE_COLD = `
create function eventward.base_type(of_type oid) returns oid
language sql stable
set search_path = pg_catalog, pg_temp
as $function$
  with recursive b as (
    select t.oid, t.typtype, t.typbasetype from pg_type t where t.oid = of_type
    union all
    select t.oid, t.typtype, t.typbasetype from b join pg_type t on t.oid = b.typbasetype where b.typtype = 'd'
  )
  select oid from b where typtype <> 'd'
$function$;

create function eventward.try_timestamptz(said text) returns timestamptz
language plpgsql stable
${OUTPUT_SETTINGS}
as $function$ begin return said::timestamptz; exception when others then return null; end $function$;

create function eventward.try_timestamp(said text) returns timestamp
language plpgsql stable
${OUTPUT_SETTINGS}
as $function$ begin return said::timestamp; exception when others then return null; end $function$;

create function eventward.try_date(said text) returns date
language plpgsql stable
${OUTPUT_SETTINGS}
as $function$ begin return said::date; exception when others then return null; end $function$;

-- The present names of key columns, by their numbers in the table that was captured.
create function eventward.key_names(parent oid, key smallint[]) returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $function$
  select array_agg(a.attname::text order by k.place)
  from unnest(key) with ordinality k (attnum, place)
  join pg_attribute a on a.attrelid = parent and a.attnum = k.attnum and not a.attisdropped
$function$;

-- t: texts by name; e: the same as events hold them; k: the texts of the key.
create function eventward.image(rel oid, stored record, parent oid, key smallint[]) returns jsonb
language plpgsql stable
${OUTPUT_SETTINGS}
as $function$
declare
  statement text;
  found_image jsonb;
begin
  select format(
    'select jsonb_build_object(''t'', jsonb_object_agg(x.k, x.t), ''e'', jsonb_object_agg(x.k, coalesce(x.e, ''null''::jsonb)), '
    '''k'', jsonb_agg(x.t order by x.o) filter (where x.o is not null)) '
    'from (select ($1::%s).*) r cross join lateral (values %s) x (k, t, e, o)',
    rel::regclass,
    string_agg(format('(%L::text, case when num_nulls(r.%I) = 0 then format(''%%s'', r.%I) end, %s, %s::integer)',
      a.attname, a.attname, a.attname,
      case
        when b.base in (20, 21, 23, 1700, 16) then format('to_jsonb(r.%I)', a.attname)
        when b.base = 3802 then format(
          'case when jsonb_typeof(r.%I) in (''object'', ''array'') then r.%I::jsonb else to_jsonb(r.%I::text) end',
          a.attname, a.attname, a.attname)
        else format('to_jsonb(case when num_nulls(r.%I) = 0 then format(''%%s'', r.%I) end)', a.attname, a.attname)
      end,
      coalesce(array_position(eventward.key_names(parent, key), a.attname::text)::text, 'null')), ', '))
  into statement
  from pg_attribute a
  cross join lateral (select eventward.base_type(a.atttypid) as base) b
  where a.attrelid = rel
    and a.attnum > 0
    and not a.attisdropped
    and a.attgenerated = '';
  execute statement into found_image using stored;
  return found_image;
end
$function$;

-- As JSON.stringify writes it where the key has several columns.
create function eventward.stream_of_image(image jsonb) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $function$
  select case jsonb_array_length(image -> 'k')
    when 1 then image -> 'k' ->> 0
    else (select '[' || string_agg(to_json(t)::text, ',' order by n) || ']'
      from jsonb_array_elements_text(image -> 'k') with ordinality k (t, n))
  end
$function$;

-- Columns that the compiled code does not know, and that the write changes (or, on a creation, fills): name -> value.
create function eventward.unknown_columns(before jsonb, after jsonb, known text[]) returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $function$
  select jsonb_object_agg(k, after -> 'e' -> k)
  from jsonb_each_text(after -> 't') c (k, t)
  where k <> all (known)
    and t is distinct from (before -> 't' ->> k)
$function$;

-- Whether an updated row goes to another partition than this one.
create function eventward.leaves_partition(rel oid, stored record) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  condition text := pg_get_partition_constraintdef(rel);
  stays boolean;
begin
  if condition is null then
    return false;
  end if;
  execute format('select %s from (select ($1::%s).*) r', condition, rel::regclass) into stays using stored;
  return not coalesce(stays, true);
end
$function$;

-- The other stream of a row that is on its way to another partition: of 0 the one that it comes from, 1 goes to.
create function eventward.moving(id text, side integer) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $function$
  select case when m.streams ->> side = id then m.streams ->> (1 - side) end
  from (select nullif(current_setting('eventward.moving', true), '')::jsonb as streams) m
$function$;

-- Columns that are not (or not so named) in the shape that the code was compiled for: number -> name; null: dropped.
create function eventward.moved_columns(parent oid, known jsonb) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $function$
  select coalesce(jsonb_object_agg(coalesce(l.attnum, k.attnum), l.name), '{}'::jsonb)
  from (
    select a.attnum::text, a.attname::text as name
    from pg_attribute a
    where a.attrelid = parent
      and a.attnum > 0
      and not a.attisdropped
      and a.attgenerated = ''
  ) l
  full join jsonb_each_text(known) k (attnum, name) on k.attnum = l.attnum
  where k.name is distinct from l.name
$function$;

-- The announcement of a command, where it is of this stream; NULL for any other, and for what can't be read.
create function eventward.announced(of_type text, of_id text) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  said jsonb;
begin
  said := nullif(current_setting('eventward.announced', true), '')::jsonb;
  if said ->> 'type' = of_type and said ->> 'id' = of_id then
    -- One without events tells nothing: what the write means is recognised.
    return case
      when jsonb_typeof(said -> 'events') = 'array' and said -> 'events' <> '[]' then said
      else said - 'events'
    end;
  end if;
  return null;
exception when others then
  return null;
end
$function$;

-- What a row holds beyond an announced image, as the data of a residue event; NULL where nothing.
create function eventward.difference(texts jsonb, members jsonb, image jsonb, plain text[]) returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $function$
  select nullif(
    coalesce(jsonb_object_agg(k, members -> k) filter (where k = any (plain)), '{}'::jsonb)
    || case when count(*) filter (where k <> all (plain)) > 0
      then jsonb_build_object('$residue', jsonb_object_agg(k, members -> k) filter (where k <> all (plain)))
      else '{}'::jsonb
    end, '{}'::jsonb)
  from jsonb_each_text(texts) c (k, t)
  where t is distinct from (image ->> k)
$function$;

-- Whether the row with the key of this record is still there. By its key's own operators, which no search_path finds.
create function eventward.row_exists(rel oid, parent oid, key smallint[], equal text[], stored record) returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  there boolean;
  condition text := (
    select string_agg(format('r.%I %s ($1::%s).%I', k.name, e.operator, rel::regclass, k.name), ' and ')
    from unnest(eventward.key_names(parent, key)) with ordinality k (name, place)
    join unnest(equal) with ordinality e (operator, place) using (place));
begin
  execute format('select exists (select from only %s r where %s)', rel::regclass, condition) into there using stored;
  return there;
end
$function$;
`
