import { recordedMigration } from '../src/migrate/recorded-migration.js'
import { runDdl } from '../src/migrate/run-ddl.js'

/** Projections: the generations of their tables, each with its cursor in the log. */
export const { up, down } = recordedMigration('010_projections', {
  async up(knex) {
    await runDdl(knex, GENERATIONS)
  },
  // The tables of projections are the application's: they stay, as do the views that show them.
  async down(knex) {
    await runDdl(
      knex,
      `${KEEP_NUMBERS};
drop table eventward.projection_receipts;
drop table eventward.projection_generations`,
    )
  },
})

/** Events say to which generation a command has written them: see `addGeneration`. */
const KEEP_NUMBERS = `
insert into eventward.settings (key, value)
select 'projection_generation ' || g.name, max(g.generation)::text
from eventward.projection_generations g
group by g.name
on conflict (key) do update set value = excluded.value`

const GENERATIONS = `
create table eventward.projection_generations (
  id bigint generated always as identity primary key,
  name text not null,
  generation integer not null,
  version integer not null,
  schema_name text not null,
  table_name text not null,
  state text not null check (state in ('building', 'live', 'old')),
  epoch text not null,
  snapshot pg_snapshot,
  restored bigint,
  horizon bigint not null default 0,
  next_horizon bigint,
  pending_position bigint,
  pending_next xid8,
  upto pg_snapshot,
  window_position bigint not null default 0,
  events bigint not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  live_at timestamptz,
  unique (name, generation)
);
create unique index on eventward.projection_generations (name) where state = 'live';
create unique index on eventward.projection_generations (name) where state = 'building';
comment on table eventward.projection_generations is
  'Generations of the tables of projections; the view that bears the projection''s name shows the live one';
comment on column eventward.projection_generations.epoch is
  'The cluster and database whose transaction ids the snapshots speak of';
comment on column eventward.projection_generations.snapshot is 'What it sees was written; null: nothing yet';
comment on column eventward.projection_generations.restored is
  'Up to this position events came from another cluster: their transaction ids mean nothing here';
comment on column eventward.projection_generations.horizon is
  'What the snapshot doesn''t see lies above this position';
comment on column eventward.projection_generations.upto is
  'An open window: what upto sees and snapshot doesn''t, written up to window_position';

create table eventward.projection_receipts (
  generation_id bigint not null references eventward.projection_generations on delete cascade,
  position bigint not null,
  primary key (generation_id, position)
);
comment on table eventward.projection_receipts is
  'Events that a command wrote to an inline projection ahead of its own; passed over by the reader, then removed';
`
