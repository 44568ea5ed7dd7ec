import type { Knex } from 'knex'
import { connectionOf } from '../runtime/index.js'
import { sql } from '../sql/index.js'
import { enqueue, type Job } from './attach.js'

/*
 * A job that fails is put off, and the queue goes on with the next one: a queue by name keeps jobs apart, not in order. So
 * of the events of a stream the first that is not handled has a job, and the next one gets its own when that is done.
 */

/**
 * Notes events for a reactor that wants them in order, and enqueues those that are first in their streams. The caller
 * holds the reactor's row of `eventward.consumers` for update: nobody ends a stream's last event meanwhile.
 */
export async function enqueueInOrder(trx: Knex.Transaction, jobs: readonly Job[]): Promise<void> {
  const connection = await connectionOf(trx)
  const [answer] = await connection.run([
    sql`
    with noted as (
      insert into eventward.reaction_order (reactor, aggregate_type, aggregate_id, position, max_attempts)
      select j.reactor, j.aggregate, j.id, j.position, j.attempts
      from pg_catalog.jsonb_to_recordset(${JSON.stringify(jobs)}::pg_catalog.jsonb)
        as j(reactor text, aggregate text, id text, "position" bigint, attempts smallint)
      returning reactor, aggregate_type, aggregate_id, position
    )
    select min(n.position) as position
    from noted n
    where not exists (
      select
      from eventward.reaction_order o
      where o.reactor = n.reactor
        and o.aggregate_type = n.aggregate_type
        and o.aggregate_id = n.aggregate_id
    )
    group by n.aggregate_type, n.aggregate_id`,
  ])
  const first = new Set(answer?.rows.map(({ position }) => position))
  const ready = jobs.filter(({ position }) => first.has(position)).map((job) => ({ ...job, ordered: true }))
  if (ready.length > 0) await enqueue(trx, ready)
}

/** Whether an event is the one that its stream is at. */
export async function isNext(
  trx: Knex.Transaction,
  { reactor, aggregate, id, position }: Omit<Job, 'attempts'>,
): Promise<boolean> {
  const connection = await connectionOf(trx)
  const [answer] = await connection.run([
    sql`
    select min(o.position) = ${position}::bigint as next
    from eventward.reaction_order o
    where o.reactor = ${reactor}::text
      and o.aggregate_type = ${aggregate}::text
      and o.aggregate_id = ${id}::text`,
  ])
  return answer?.rows[0]?.['next'] === 't'
}

/** The event is handled: enqueues the next one of its stream. Once, however often it is said. */
export async function advanceStream(
  trx: Knex.Transaction,
  { reactor, aggregate, id, position }: Omit<Job, 'attempts'>,
): Promise<void> {
  const connection = await connectionOf(trx)
  await connection.run([
    sql`select eventward.advance_stream(${reactor}::text, ${aggregate}::text, ${id}::text, ${position}::bigint)`,
  ])
}
