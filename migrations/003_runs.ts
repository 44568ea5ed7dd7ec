import { recordedMigration } from '../src/migrate/recorded-migration.js'
import { refuseKeptEvents } from '../src/migrate/refuse-kept-events.js'
import { runDdl } from '../src/migrate/run-ddl.js'

/** Runs with their chunks, and the differences that verify found. */
export const { up, down } = recordedMigration('003_runs', {
  async up(knex) {
    await runDdl(knex, RUNS)
    await runDdl(knex, CHUNKS)
    await runDdl(knex, MISMATCHES)
  },

  async down(knex) {
    await refuseKeptEvents(knex)
    await runDdl(
      knex,
      'drop table eventward.mismatches; drop table eventward.chunks; drop table eventward.runs',
    )
  },
})

const RUNS = `
create table eventward.runs (
  id bigint generated always as identity primary key,
  command text not null,
  table_schema text,
  table_name text,
  aggregate_type text collate "C",
  state text not null check (state in ('planning', 'running', 'complete', 'stopped', 'failed')),
  definition_hash text,
  params jsonb not null default '{}',
  counts jsonb not null default '{}',
  upper_key jsonb,
  planned_to jsonb,
  tool_version text,
  application_name text,
  host text,
  os_user text,
  db_user text not null default session_user,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  outcome jsonb
);
create index on eventward.runs (command, table_schema, table_name, id);
comment on table eventward.runs is 'Receipts: who ran what, when, with which definition, and how it ended';
comment on column eventward.runs.counts is 'Counts as texts: they may be beyond what a JSON number holds in JavaScript';
comment on column eventward.runs.upper_key is 'The greatest key at the start; keys are JSON arrays of texts in key order';
comment on column eventward.runs.planned_to is 'The key up to which chunks are planned; a killed planner goes on from it';
`

const CHUNKS = `
create table eventward.chunks (
  run_id bigint not null references eventward.runs on delete cascade,
  n integer not null,
  kind text not null,
  lo jsonb,
  hi jsonb,
  done_to jsonb,
  state text not null default 'todo' check (state in ('todo', 'done')),
  attempts integer not null default 0,
  not_before timestamptz,
  last_error jsonb,
  rows bigint not null default 0,
  streams bigint not null default 0,
  events bigint not null default 0,
  differences bigint not null default 0,
  primary key (run_id, n)
);
create index on eventward.chunks (run_id, n) where state = 'todo';
comment on table eventward.chunks is 'Ranges (lo, hi] of a run; claimed by for update skip locked, done with their effect';
comment on column eventward.chunks.done_to is 'The key up to which the chunk is done';
comment on column eventward.chunks.not_before is 'Not tried again before this time';
`

const MISMATCHES = `
create table eventward.mismatches (
  id bigint generated always as identity primary key,
  table_schema text not null,
  table_name text not null,
  aggregate_type text collate "C" not null,
  key text collate "C" not null,
  kind text not null,
  columns jsonb not null default '[]',
  first_run bigint not null,
  last_run bigint not null,
  first_seen_at timestamptz not null default clock_timestamp(),
  last_seen_at timestamptz not null default clock_timestamp(),
  resolved_at timestamptz
);
-- A key may be longer than an index takes.
create unique index mismatches_open on eventward.mismatches (aggregate_type, hashtextextended(key, 0), kind) where resolved_at is null;
create index on eventward.mismatches (table_schema, table_name) where resolved_at is null;
comment on table eventward.mismatches is 'Differences between rows and their events, kept until they are gone';
`
