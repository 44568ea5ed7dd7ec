-- A changed key, recorded on both streams at once, BEFORE the update.
create function naive.capture_key_before() returns trigger
language plpgsql
as $function$
begin
  if old.id <> new.id then
    perform naive.append(old.id::text, 'Deleted', null);
    perform naive.append(new.id::text, 'Created', to_jsonb(new));
  end if;
  return new;
end
$function$;
