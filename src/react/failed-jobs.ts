import type { Session } from '../db/index.js'
import { UsageError } from '../errors/index.js'
import { QUEUE_SCHEMA } from '../migrate/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import { notMigrated } from './consumers.js'

/** A job that was given up, or one that is to be tried again. Ids, positions and counts are texts. */
export interface FailedJob {
  readonly id: string
  readonly reactor: string
  readonly aggregate: string
  readonly stream: string
  readonly position: string
  readonly attempts: number
  readonly maxAttempts: number
  /** When it's tried again; null: not without a person. timestamptz text in UTC. */
  readonly nextAt: string | null
  readonly error: string
  readonly failedAt: string
  /** Later events of its stream that wait for it, where its reactor is ordered. */
  readonly holds: string
}

const JOBS = raw(qualified(QUEUE_SCHEMA, '_private_jobs'))
const TASKS = raw(qualified(QUEUE_SCHEMA, '_private_tasks'))
const QUEUE = raw(qualified(QUEUE_SCHEMA, 'reschedule_jobs'))

/**
 * Jobs that failed: those that are left to a person, and with `all` those that are tried again, too. The oldest first,
 * 1,000 at most.
 */
export async function failedJobs(
  session: Session,
  { all = false, ids }: { readonly all?: boolean; readonly ids?: readonly string[] } = {},
): Promise<readonly FailedJob[]> {
  const rows = await asked(
    session.rows<Record<keyof FailedJob, string>>(sql`
    select j.id, t.identifier as reactor, j.payload ->> 'aggregate' as aggregate, j.payload ->> 'id' as stream,
      j.payload ->> 'position' as position, j.attempts, j.max_attempts as "maxAttempts",
      case when j.attempts < j.max_attempts then j.run_at end as "nextAt",
      coalesce(j.last_error, '') as error, j.updated_at as "failedAt",
      (
        select greatest(count(*) - 1, 0)
        from eventward.reaction_order o
        where o.reactor = t.identifier
          and o.aggregate_type = j.payload ->> 'aggregate'
          and o.aggregate_id = j.payload ->> 'id'
      ) as holds
    from ${JOBS} j
    join ${TASKS} t on t.id = j.task_id
    where j.last_error is not null
      and (${String(all)}::boolean or j.attempts >= j.max_attempts)
      and (${ids ?? null}::bigint[] is null or j.id = any (${ids ?? null}::bigint[]))
    order by j.id
    limit 1000`),
  )
  return rows.map((row) => ({
    ...row,
    attempts: Number(row.attempts),
    maxAttempts: Number(row.maxAttempts),
  }))
}

/**
 * Has failed jobs tried again at once, with all their tries: those named, or all that are left to a person.
 *
 * @returns what is tried again.
 * @throws UsageError EW_JOB_UNKNOWN for an id that no failed job has; nothing is changed.
 */
export async function retryJobs(
  session: Session,
  ids: readonly string[] | 'all',
): Promise<readonly FailedJob[]> {
  const jobs = ids === 'all' ? await failedJobs(session) : await namedJobs(session, ids)
  await session.rows(
    sql`select from ${QUEUE}(job_ids => ${jobs.map(({ id }) => id)}::bigint[], run_at => now(), attempts => 0)`,
  )
  return jobs
}

/**
 * Gives failed jobs up: their reactors never get these events. Those that wait for them in ordered streams go on.
 *
 * @throws as `retryJobs`
 */
export async function discardJobs(session: Session, ids: readonly string[]): Promise<readonly FailedJob[]> {
  const jobs = await namedJobs(session, ids)
  for (const job of jobs) {
    await session.transaction({}, async (transaction) => {
      const gone = await transaction.execute(
        sql`delete from ${JOBS} where id = ${job.id}::bigint and locked_at is null`,
      )
      // A worker is at it, once more: then it isn't given up.
      if (gone === 0) throw unknown([job.id])
      await transaction.rows(
        sql`select eventward.advance_stream(${job.reactor}::text, ${job.aggregate}::text, ${job.stream}::text, ${job.position}::bigint)`,
      )
    })
  }
  return jobs
}

async function namedJobs(session: Session, ids: readonly string[]): Promise<readonly FailedJob[]> {
  const jobs = await failedJobs(session, { all: true, ids })
  const missing = ids.filter((id) => !jobs.some((job) => job.id === id))
  if (missing.length > 0) throw unknown(missing)
  return jobs
}

function unknown(ids: readonly string[]): UsageError {
  return new UsageError('EW_JOB_UNKNOWN', `no failed job has the id ${ids.join(', ')}`, {
    next: 'Run `eventward work failed`: it names them.',
    details: { ids },
  })
}

/** Says what to do where nothing is installed. */
export async function asked<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw notMigrated(error)
  }
}
