-- A row without a stream is first recorded as it was: where the snapshot shows no stream, there is none, it says.
create function naive.capture_existing() returns trigger
language plpgsql
as $function$
begin
  if not exists (select from naive.events e where e.id = old.id::text) then
    insert into naive.events (id, version, type, data) values (old.id::text, 1, 'Created', to_jsonb(old));
  end if;
  perform naive.append(new.id::text, 'Changed', to_jsonb(new));
  return new;
end
$function$;

-- The same with ON CONFLICT, "to be safe".
create function naive.capture_existing_on_conflict() returns trigger
language plpgsql
as $function$
begin
  if not exists (select from naive.events e where e.id = old.id::text) then
    insert into naive.events (id, version, type, data) values (old.id::text, 1, 'Created', to_jsonb(old))
    on conflict do nothing;
  end if;
  perform naive.append(new.id::text, 'Changed', to_jsonb(new));
  return new;
end
$function$;
