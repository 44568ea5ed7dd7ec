import { recordedMigration } from '../src/migrate/recorded-migration.js'
import { runDdl } from '../src/migrate/run-ddl.js'

/** The time machine: functions that give a whole table as of a time, and how they know that they are still right. */
export const { up, down } = recordedMigration('011_time_machine', {
  async up(knex) {
    await runDdl(knex, TABLE)
    await runDdl(knex, MEANING)
  },

  // It refuses where someone's view stands on one of the functions.
  async down(knex) {
    await runDdl(
      knex,
      `
do $do$
declare
  one record;
begin
  for one in select t.function_name from eventward.time_machines t loop
    execute pg_catalog.format('drop function if exists eventward.%I(pg_catalog.timestamptz)', one.function_name);
  end loop;
end
$do$;
drop function eventward.require_meaning(text, text);
drop function eventward.meaning_of(text);
drop table eventward.time_machines;
`,
    )
  },
})

const TABLE = `
create table eventward.time_machines (
  aggregate_type text collate "C" primary key,
  function_name text collate "C" not null unique,
  columns jsonb not null,
  source text not null,
  meaning text not null,
  made_at timestamptz not null default clock_timestamp()
);
comment on table eventward.time_machines is
  'Functions that give a table as of a time: eventward.<function_name>(timestamptz)';
comment on column eventward.time_machines.columns is '[[name, type], ...] as the function returns them';
comment on column eventward.time_machines.source is 'A hash of its text';
comment on column eventward.time_machines.meaning is 'What eventward.meaning_of gave when it was made';
`

/**
 * What events mean was compiled into the function: where that has moved since, it must not give rows that are wrong.
 * DEFINER, since whoever asks needs no right on our tables: a hash tells them nothing.
 */
const MEANING = `
create function eventward.meaning_of(of_type text) returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $function$
  select encode(sha256(convert_to(concat_ws(E'\\n',
    (select concat_ws(' ', a.table_schema, a.table_name, a.row_shape, a.definition -> 'key', a.definition -> 'timeZone', a.definition -> 'residue')
      from eventward.aggregates a where a.aggregate_type = of_type),
    (select string_agg(concat_ws(' ', d.type, d.schema_version, d.hash, d.row_shape), E'\\n' order by d.type collate "C", d.schema_version)
      from eventward.definitions d where d.aggregate_type = of_type),
    (select string_agg(r.id, E'\\n' order by r.n)
      from eventward.row_shapes r where r.aggregate_type = of_type),
    (select string_agg(concat_ws(' ', e.kind, e.attnum, to_jsonb(e.name), to_jsonb(e.before), to_jsonb(e.after)), E'\\n' order by e.id)
      from eventward.epochs e where e.aggregate_type = of_type)), 'UTF8')), 'hex')
$function$;
comment on function eventward.meaning_of(text) is 'Another text where stored events of an aggregate mean something else, or its columns have moved';

create function eventward.require_meaning(of_type text, expected text) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  if eventward.meaning_of(of_type) = expected then
    return true;
  end if;
  raise exception using
    errcode = 'EW020',
    message = format('eventward: the columns of %s, or what its events mean, have moved since this function was made', of_type),
    hint = 'Run: eventward time-machine on';
end
$function$;
`
