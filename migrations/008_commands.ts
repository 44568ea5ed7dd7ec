import { recordedMigration } from '../src/migrate/recorded-migration.js'
import { runDdl } from '../src/migrate/run-ddl.js'

/** Idempotency keys: a command that is sent twice acts once. And what keeps a command from a commit without its events. */
export const { up, down } = recordedMigration('008_commands', {
  async up(knex) {
    await runDdl(knex, KEYS)
    await runDdl(knex, ALL_APPENDED)
  },
  async down(knex) {
    await runDdl(
      knex,
      `
drop function eventward.all_appended(bigint, integer);
drop function eventward.finish_command(text, text);
drop function eventward.claim_command(text, text, text);
drop table eventward.command_keys;
`,
    )
  },
})

/**
 * DEFINER: an application's role needs no right on the table. The insert waits for another transaction that has the same
 * key, and the select behind it, a statement of its own, sees what that one did. EW012: the key of something else.
 */
const KEYS = `
create table eventward.command_keys (
  key text primary key,
  command text not null,
  input text not null,
  done text,
  created_at timestamptz not null default clock_timestamp()
);
comment on table eventward.command_keys is
  'Idempotency keys of commands. Rows that are older than any repetition may come may be deleted';
comment on column eventward.command_keys.input is 'A hash of what the command was given';
comment on column eventward.command_keys.done is 'Positions of its events by aggregate, as JSON; null (JSON) where there was nothing to do; NULL where it was refused';

create function eventward.claim_command(of_key text, of_command text, of_input text) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  earlier record;
begin
  insert into eventward.command_keys (key, command, input)
  values (of_key, of_command, of_input)
  on conflict (key) do nothing;
  if found then
    return null;
  end if;
  select k.command, k.input, k.done into strict earlier from eventward.command_keys k where k.key = of_key;
  if earlier.done is null then
    -- A command that was refused, in a transaction that went on: it did nothing, and the key is free. Who waits here for
    -- another one that takes it sees what that one did.
    update eventward.command_keys k
    set command = of_command, input = of_input, created_at = clock_timestamp()
    where k.key = of_key
      and k.done is null;
    if found then
      return null;
    end if;
    select k.command, k.input, k.done into strict earlier from eventward.command_keys k where k.key = of_key;
  end if;
  if earlier.command <> of_command or earlier.input <> of_input then
    raise exception using
      errcode = 'EW012',
      message = format('the key was used by %s', earlier.command);
  end if;
  return earlier.done;
end
$function$;
comment on function eventward.claim_command(text, text, text) is
  'Null where the key is this transaction''s now; else what the command did before';

create function eventward.finish_command(of_key text, of_done text) returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $function$
  update eventward.command_keys set done = of_done where key = of_key
$function$;
`

/** Asked ahead of the COMMIT that goes with it: nobody commits a row without its events. */
const ALL_APPENDED = `
create function eventward.all_appended(appended bigint, announced integer) returns boolean
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $function$
begin
  if appended >= announced then
    return true;
  end if;
  raise exception using
    errcode = 'EW011',
    message = format('%s of %s announced events were taken by no trigger', announced - appended, announced);
end
$function$;
comment on function eventward.all_appended(bigint, integer) is
  'Fails with EW011 where fewer events were appended than a command announced';
`
