import type { Knex } from 'knex'
import { ident, literal } from '../sql/index.js'
import { installedEvents } from './installed-events.js'
import { runDdl } from './run-ddl.js'

/**
 * Raises SQLSTATE EW002 where the events table holds an event, or a table stands beside it that was part of it (an
 * archive, a partition detached or half detached): what is stored is never dropped with the tools.
 * Locks the events table against everyone until the transaction ends, so that none comes after the look.
 */
export async function refuseKeptEvents(knex: Knex): Promise<void> {
  const events = await installedEvents(knex)
  if (events === null) return
  const name = `${ident(events.schema)}.${ident(events.table)}`
  const message = `${name} still holds events: nothing was removed`
  const hint = 'Export what you need; then detach or drop its partitions by hand, and run this again.'
  const archived = `${name} is empty, but events are kept beside it in %s: nothing was removed`
  const dropped = 'Export what you need; then drop these tables by hand, and run this again.'
  await runDdl(
    knex,
    `do ${literal(`declare
  kept text;
begin
  lock table ${name} in access exclusive mode;
  if exists (select from ${name}) then
    raise exception using errcode = 'EW002', message = ${literal(message)}, hint = ${literal(hint)};
  end if;
  ${keptBeside(name)}
  if kept is not null then
    raise exception using errcode = 'EW002', message = format(${literal(archived)}, kept), hint = ${literal(dropped)};
  end if;
end`)}`,
  )
}

/** Tables that hang on our trigger function or on the sequence of positions, and partitions that the parent hides. */
function keptBeside(events: string): string {
  return `
  select string_agg(t.oid::regclass::text, ', ' order by t.oid::regclass::text) into kept
  from (
    select tgrelid
    from pg_trigger
    where tgfoid = to_regprocedure('eventward.refuse_change()')
    union
    select d.adrelid
    from pg_attrdef d
    join pg_depend on classid = 'pg_attrdef'::regclass and objid = d.oid
    where refclassid = 'pg_class'::regclass
      and refobjid = pg_get_serial_sequence(${literal(events)}, 'position')::regclass
    union
    select inhrelid
    from pg_inherits
    where inhparent = ${literal(events)}::regclass
      and inhdetachpending
  ) t (oid)
  join pg_class c on c.oid = t.oid
  where c.relnamespace <> 'eventward'::regnamespace
    and not exists (
      select
      from pg_partition_tree(${literal(events)}::regclass)
      where relid = t.oid
    );`
}
