import type { Session } from '../db/index.js'
import { QUEUE_SCHEMA } from '../migrate/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import { asked } from './failed-jobs.js'

/** How a reactor is doing. Counts are texts. */
export interface ReactorStatus {
  readonly reactor: string
  /** Jobs that were made for events of the log, since the beginning. */
  readonly fromLog: string
  /** Jobs that nobody has tried yet. */
  readonly waiting: string
  readonly running: string
  /** Failed, and tried again. */
  readonly retrying: string
  /** Left to a person. */
  readonly failed: string
  /** Events of ordered streams that wait for an earlier one. */
  readonly held: string
  /** When its place in the log last moved: timestamptz text in UTC; null: not yet. */
  readonly movedAt: string | null
}

/** All reactors that have a place in the log or a job, by name. */
export async function reactorStatus(session: Session): Promise<readonly ReactorStatus[]> {
  const jobs = raw(qualified(QUEUE_SCHEMA, '_private_jobs'))
  const tasks = raw(qualified(QUEUE_SCHEMA, '_private_tasks'))
  return asked(
    session.rows<Record<Exclude<keyof ReactorStatus, 'movedAt'>, string> & { movedAt: string | null }>(sql`
    with jobs as (
      select t.identifier as reactor,
        count(*) filter (where j.locked_at is null and j.last_error is null) as waiting,
        count(*) filter (where j.locked_at is not null) as running,
        count(*) filter (where j.locked_at is null and j.last_error is not null and j.attempts < j.max_attempts) as retrying,
        count(*) filter (where j.locked_at is null and j.attempts >= j.max_attempts) as failed,
        count(*) as jobs
      from ${jobs} j
      join ${tasks} t on t.id = j.task_id
      group by t.identifier
    ), streams as (
      select o.reactor, count(*) as events, count(distinct (o.aggregate_type, o.aggregate_id)) as streams
      from eventward.reaction_order o
      group by o.reactor
    )
    select coalesce(c.name, j.reactor) as reactor, coalesce(c.events, 0) as "fromLog", coalesce(j.waiting, 0) as waiting,
      coalesce(j.running, 0) as running, coalesce(j.retrying, 0) as retrying, coalesce(j.failed, 0) as failed,
      coalesce(s.events - s.streams, 0) as held, c.moved_at as "movedAt"
    from eventward.consumers c
    full join jobs j on j.reactor = c.name
    left join streams s on s.reactor = c.name
    order by 1`),
  )
}
