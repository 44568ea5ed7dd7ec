-- Uses an announcement up at the first write, whosever row it is.
create function naive.capture_announced() returns trigger
language plpgsql
as $function$
begin
  if current_setting('naive.announced', true) <> '' then
    perform naive.append(new.id::text, current_setting('naive.announced'), to_jsonb(new));
    perform set_config('naive.announced', '', true);
  else
    perform naive.append(new.id::text, 'Changed', to_jsonb(new));
  end if;
  return new;
end
$function$;
