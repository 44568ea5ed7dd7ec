-- Locks the row "to be sure" that it is the one written.
create function naive.capture_locking() returns trigger
language plpgsql
as $function$
begin
  execute format('select from %I.%I t where t.id = $1 for update', tg_table_schema, tg_table_name) using old.id;
  perform naive.append(new.id::text, 'Changed', to_jsonb(new));
  return new;
end
$function$;
