-- The statement trigger with transition tables, which "is faster".
create function naive.capture_statement() returns trigger
language plpgsql
as $function$
begin
  perform naive.append(n.id::text, 'Changed', to_jsonb(n)) from new_rows n order by n.id;
  return null;
end
$function$;
