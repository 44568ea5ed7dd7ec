import { recordedMigration } from '../src/migrate/recorded-migration.js'
import { refuseKeptEvents } from '../src/migrate/refuse-kept-events.js'
import { runDdl } from '../src/migrate/run-ddl.js'

/** Schema changes of the application: under which row shapes events were written, and what was adopted since. */
export const { up, down } = recordedMigration('007_adopt', {
  async up(knex) {
    await runDdl(knex, TABLES)
    await runDdl(knex, FUNCTIONS)
  },

  // Events can't be read right without what their columns were.
  async down(knex) {
    await refuseKeptEvents(knex)
    await runDdl(
      knex,
      `
drop function eventward.cold_fills(jsonb, jsonb);
drop function eventward.cold_members(jsonb, jsonb, jsonb, jsonb);
drop function eventward.renamed_members(jsonb, jsonb);
alter table eventward.aggregates drop column row_shape;
alter table eventward.definitions drop column row_shape;
drop table eventward.epochs;
drop table eventward.row_shapes;
`,
    )
  },
})

const TABLES = `
create table eventward.row_shapes (
  n bigint generated always as identity unique,
  aggregate_type text collate "C" not null,
  id text not null,
  columns jsonb not null,
  registered_at timestamptz not null default clock_timestamp(),
  primary key (aggregate_type, id)
);
comment on table eventward.row_shapes is 'Row shapes under which events were written: [[attnum, name, type], ...]; an event names its own in its metadata';

create table eventward.epochs (
  id bigint generated always as identity primary key,
  aggregate_type text collate "C" not null,
  kind text not null check (kind in ('added', 'renamed', 'dropped', 'retyped', 'restored')),
  attnum smallint not null,
  name text not null,
  before text,
  after text,
  adopted_at timestamptz not null default clock_timestamp()
);
create unique index on eventward.epochs (aggregate_type, attnum) where kind = 'added';
create unique index on eventward.epochs (aggregate_type, kind, attnum, coalesce(before, ''), coalesce(after, ''))
  where kind <> 'added';
comment on table eventward.epochs is 'Schema changes of the application that were adopted. added: after is the canonical text that rows had which were there before; renamed and retyped: the names and types; restored: moved and moved back';

-- In whose names a frozen meaning speaks of columns: where NULL, in those of the oldest shape.
alter table eventward.definitions add column row_shape text;
alter table eventward.aggregates add column row_shape text;
`

const FUNCTIONS = `
-- Members under the names that they have now; null: of a column that is gone.
create function eventward.renamed_members(members jsonb, names jsonb) returns jsonb
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $function$
  select coalesce(jsonb_object_agg(coalesce(names ->> m.key, m.key), m.value)
    filter (where not names ? m.key or names ->> m.key is not null), '{}')
  from jsonb_each(members) m
$function$;
comment on function eventward.renamed_members(jsonb, jsonb) is 'What an event said under older names of columns, under the present ones';

-- The same for an event that was captured by name while columns had moved. A name is first that of a moved column at
-- that moment, else that of a column which had not moved; what stood under the old name of a moved one means nothing.
create function eventward.cold_members(members jsonb, known jsonb, live jsonb, moved jsonb) returns jsonb
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $function$
  select coalesce(jsonb_object_agg(n.name, m.value) filter (where n.name is not null), '{}')
  from jsonb_each(members) m
  cross join lateral (
    select live ->> coalesce(
      (select c.key from jsonb_each_text(moved) c where c.value = m.key),
      (select k.key from jsonb_each_text(known) k where k.value = m.key and not moved ? k.key)) as name
  ) n
$function$;
comment on function eventward.cold_members(jsonb, jsonb, jsonb, jsonb) is 'What an event of the cold path said, under the present names of columns';

-- Of columns that were there by then, the event itself tells.
create function eventward.cold_fills(fills jsonb, moved jsonb) returns jsonb
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $function$
  select coalesce(jsonb_object_agg(v.key, v.value), '{}')
  from jsonb_each(fills) f
  cross join lateral jsonb_each(f.value) v
  where not moved ? f.key
$function$;
comment on function eventward.cold_fills(jsonb, jsonb) is 'What a creation of the cold path starts with';
`
