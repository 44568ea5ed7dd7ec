-- now() as the time of an event.
create function naive.capture_transaction_time() returns trigger
language plpgsql
as $function$
begin
  insert into naive.events (id, version, type, at)
  select new.id::text, coalesce(max(e.version), 0) + 1, 'Changed', now()
  from naive.events e
  where e.id = new.id::text;
  return new;
end
$function$;
