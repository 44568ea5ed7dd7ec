-- Rights of the owner, names of whoever comes.
create function naive.capture_unqualified() returns trigger
language plpgsql security definer
as $function$
begin
  insert into events (aggregate_type, aggregate_id, version, type, data, occurred_at)
  values ('Naive', new.id::text, 1, 'Created', to_jsonb(new), clock_timestamp());
  return null;
end
$function$;

-- The same with the rights of whoever writes.
create function naive.capture_invoker() returns trigger
language plpgsql security invoker
as $function$
begin
  insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
  values ('Naive', new.id::text, 1, 'Created', pg_catalog.to_jsonb(new), pg_catalog.clock_timestamp());
  return null;
end
$function$;
