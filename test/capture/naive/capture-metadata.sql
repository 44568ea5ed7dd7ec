-- Takes the application's word as it stands.
create function naive.capture_metadata() returns trigger
language plpgsql
as $function$
begin
  perform naive.append(new.id::text, 'Changed', current_setting('eventward.metadata', true)::jsonb);
  return new;
end
$function$;
