-- Compiled for the columns a and note, with no guard around it.
create function naive.capture_compiled() returns trigger
language plpgsql
as $function$
begin
  if new.a is distinct from old.a or new.note is distinct from old.note then
    perform naive.append(new.id::text, 'Changed', jsonb_build_object('a', new.a, 'note', new.note));
  end if;
  return new;
end
$function$;

-- "Whole rows" compared by their type's equality.
create function naive.capture_whole_row() returns trigger
language plpgsql
as $function$
begin
  if old.* is distinct from new.* then
    perform naive.append(new.id::text, 'Changed', to_jsonb(new));
  end if;
  return new;
end
$function$;
