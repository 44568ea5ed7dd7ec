-- One row trigger for everything: an event per write, made of to_jsonb. The text book form, BEFORE or AFTER.
create function naive.capture_row() returns trigger
language plpgsql
as $function$
begin
  if tg_op = 'DELETE' then
    perform naive.append(old.id::text, 'Deleted', null);
    return old;
  end if;
  perform naive.append(new.id::text, case tg_op when 'INSERT' then 'Created' else 'Changed' end, to_jsonb(new));
  return new;
end
$function$;
