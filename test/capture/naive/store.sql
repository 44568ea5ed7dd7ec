-- An event store as one would first write it: whole rows, the next version read and written in one go.
create schema naive;
create table naive.events (
  position bigserial,
  id text,
  version integer,
  type text,
  data jsonb,
  at timestamptz not null default clock_timestamp(),
  primary key (id, version)
);

create function naive.append(of_id text, of_type text, of_data jsonb) returns void
language plpgsql
as $function$
begin
  insert into naive.events (id, version, type, data)
  select of_id, coalesce(max(e.version), 0) + 1, of_type, of_data
  from naive.events e
  where e.id = of_id;
end
$function$;

-- Streams that do not end in what their row is.
create function naive.wrong(rel regclass) returns setof text
language plpgsql
as $function$
begin
  return query execute format($query$
    select coalesce(s.id, r.id)
    from (
      select distinct on (e.id) e.id, e.type, e.data
      from naive.events e
      order by e.id, e.version desc
    ) s
    full join (select t.id::text as id, to_jsonb(t) as data from %s t) r on r.id = s.id
    where case s.type when 'Deleted' then r.id is not null else s.data is distinct from r.data end
    order by 1
  $query$, rel);
end
$function$;
