import { recordedMigration } from '../src/migrate/recorded-migration.js'
import { refuseKeptEvents } from '../src/migrate/refuse-kept-events.js'
import { runDdl } from '../src/migrate/run-ddl.js'

/** What stored events mean: one frozen shape per (aggregate type, event type, schema version). */
export const { up, down } = recordedMigration('002_definitions', {
  async up(knex) {
    await runDdl(
      knex,
      `
create table eventward.aggregates (
  aggregate_type text collate "C" primary key,
  table_schema text not null,
  table_name text not null,
  definition jsonb not null,
  hash text not null,
  installed_at timestamptz not null default clock_timestamp()
);
comment on table eventward.aggregates is 'Definitions as they were installed last, one per legacy table';

create table eventward.definitions (
  id bigint generated always as identity primary key,
  aggregate_type text collate "C" not null,
  type text not null,
  schema_version integer not null check (schema_version > 0),
  effect text not null check (effect in ('creates', 'changes', 'deletes')),
  shape jsonb not null,
  hash text not null,
  installed_at timestamptz not null default clock_timestamp(),
  unique (aggregate_type, type, schema_version)
);
comment on table eventward.definitions is 'What each stored (type, schema_version) does to a row, for ever';
`,
    )
  },

  // Events can't be read without their shapes.
  async down(knex) {
    await refuseKeptEvents(knex)
    await runDdl(knex, 'drop table eventward.definitions; drop table eventward.aggregates')
  },
})
