import { recordedMigration } from '../src/migrate/recorded-migration.js'
import { runDdl } from '../src/migrate/run-ddl.js'
import { literal } from '../src/sql/index.js'

/** Reactors: how far each has read the log, what it has done, and how a command enqueues a job for it. */
export const { up, down } = recordedMigration('009_reactors', {
  async up(knex) {
    await runDdl(knex, CONSUMERS)
    await runDdl(knex, REACTIONS)
    await runDdl(knex, ENQUEUE)
    await runDdl(knex, ADVANCE)
  },
  async down(knex) {
    await runDdl(knex, REFUSE_WAITING)
    await runDdl(
      knex,
      `
drop function eventward.advance_stream(text, text, text, bigint);
drop function eventward.enqueue(jsonb);
drop table eventward.reaction_order;
drop table eventward.reactions;
drop table eventward.consumers;
drop schema if exists eventward_worker cascade;
`,
    )
  },
})

const CONSUMERS = `
create table eventward.consumers (
  name text collate "C" primary key,
  epoch text not null,
  wants jsonb not null,
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
  moved_at timestamptz
);
comment on table eventward.consumers is 'How far each reactor has read the log (eventward work)';
comment on column eventward.consumers.epoch is
  'The cluster and database whose transaction ids the snapshots speak of';
comment on column eventward.consumers.restored is
  'Up to this position events came from another cluster: their transaction ids mean nothing here';
comment on column eventward.consumers.wants is
  'Aggregate and type of the events that it is to get: as the worker says that was started last';
comment on column eventward.consumers.events is 'Events of the log for which a job was enqueued';
`

const REACTIONS = `
create table eventward.reactions (
  reactor text collate "C" not null,
  position bigint not null,
  part integer not null,
  job_id bigint not null,
  done_at timestamptz not null default clock_timestamp(),
  primary key (reactor, position, part)
);
comment on table eventward.reactions is
  'What a reactor that writes in a transaction has done; kept as long as its job is';

create table eventward.reaction_order (
  reactor text collate "C" not null,
  aggregate_type text collate "C" not null,
  aggregate_id text collate "C" not null,
  position bigint not null,
  max_attempts smallint not null,
  primary key (reactor, aggregate_type, aggregate_id, position)
);
comment on table eventward.reaction_order is
  'Events that an ordered reactor has still to handle; the first of each stream alone has a job';
`

/**
 * DEFINER: an application's role needs no right on the queue. The queue's functions are looked for when it is called: they
 * are graphile-worker's, which installs them itself.
 */
const ENQUEUE = `
create function eventward.enqueue(jobs jsonb) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform from eventward_worker.add_jobs(array(
    select row(
      j.reactor,
      json_build_object('aggregate', j.aggregate, 'id', j.id, 'position', j.position, 'ordered', coalesce(j.ordered, false)),
      null, null, j.attempts, null, null, null
    )::eventward_worker.job_spec
    from jsonb_to_recordset(jobs) as j(reactor text, aggregate text, id text, "position" text, attempts smallint, ordered boolean)
    order by j.position::bigint
  ));
end
$function$;
revoke all on function eventward.enqueue(jsonb) from public;
comment on function eventward.enqueue(jsonb) is 'Enqueues jobs of reactors with the events that they are about';
`

/**
 * An ordered reactor has handled an event, or it was given up: the next one of the stream gets its job. Once, however often
 * it is said. The lock keeps away whoever reads the log for the reactor: it would still see this event as one to come, and
 * make no job for the one behind it.
 */
const ADVANCE = `
create function eventward.advance_stream(of_reactor text, of_type text, of_id text, done bigint) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  next record;
begin
  perform from eventward.consumers c where c.name = of_reactor for share;
  delete from eventward.reaction_order o
  where o.reactor = of_reactor
    and o.aggregate_type = of_type
    and o.aggregate_id = of_id
    and o.position = done;
  if not found then
    return;
  end if;
  select o.position, o.max_attempts into next
  from eventward.reaction_order o
  where o.reactor = of_reactor
    and o.aggregate_type = of_type
    and o.aggregate_id = of_id
  order by o.position
  limit 1;
  if found then
    perform eventward.enqueue(jsonb_build_array(jsonb_build_object(
      'reactor', of_reactor, 'aggregate', of_type, 'id', of_id,
      'position', next.position::text, 'attempts', next.max_attempts, 'ordered', true)));
  end if;
end
$function$;
revoke all on function eventward.advance_stream(text, text, text, bigint) from public;
comment on function eventward.advance_stream(text, text, text, bigint) is
  'An ordered reactor is done with an event: enqueues the next one of the stream';
`

/** EW002, as where events would be lost. */
const REFUSE_WAITING = `
do $do$
declare
  waiting bigint := 0;
begin
  if to_regclass(${literal('eventward_worker._private_jobs')}) is not null then
    execute 'select count(*) from eventward_worker._private_jobs' into waiting;
  end if;
  if waiting + (select count(*) from eventward.reaction_order) > 0 then
    raise exception using
      errcode = 'EW002',
      message = format('%s reactions are not done', waiting),
      hint = 'Run eventward work until they are, or discard them (eventward work discard).';
  end if;
end
$do$;
`
