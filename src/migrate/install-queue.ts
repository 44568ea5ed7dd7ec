import type { Logger } from 'graphile-worker'
import { driverPool, sqlstateOf } from '../db/index.js'

/** The job queue's own schema: an application's graphile-worker, in its usual one, is never touched. */
export const QUEUE_SCHEMA = 'eventward_worker'

/**
 * Installs the job queue, or brings it up to date: graphile-worker's own migrations, each in a transaction of its own.
 * Several processes may do so at once.
 *
 * @param url without one, the driver reads PG*.
 */
export async function installQueue(url: string | undefined): Promise<void> {
  const { runMigrations } = await import('graphile-worker')
  const pgPool = driverPool({ url, applicationName: 'eventward migrate' })
  try {
    await runMigrations({ pgPool, schema: QUEUE_SCHEMA, logger: await quietLogger() })
    await sparePlaces(pgPool)
  } finally {
    await pgPool.end()
  }
}

/** Half of what an integer holds: from here on it's time, and there's plenty of it. */
const HIGH = 1_000_000_000

/**
 * Each `add_jobs` draws an id for a task that is there already, and throws it away: an integer's are used up after two
 * thousand million of them, and then no command that enqueues can write any more. So they begin anew behind those in use.
 *
 * The lock (SHARE ROW EXCLUSIVE on the tasks) waits for all who have drawn one and not ended; where that takes too long,
 * it's for another time.
 */
async function sparePlaces(pool: ReturnType<typeof driverPool>): Promise<void> {
  const tasks = `${QUEUE_SCHEMA}._private_tasks`
  const sequence = `pg_catalog.pg_get_serial_sequence('${tasks}', 'id')::pg_catalog.regclass`
  const { rows } = await pool.query<{ high: boolean }>(
    `select coalesce(pg_catalog.pg_sequence_last_value(${sequence}), 0) > ${HIGH} as high`,
  )
  if (rows[0]?.high !== true) return
  await pool
    .query(
      `begin;
      set local lock_timeout = '2s';
      lock table ${tasks} in share row exclusive mode;
      select pg_catalog.setval(${sequence}, greatest((select max(id) from ${tasks}), 1));
      commit`,
    )
    .catch((error: unknown) => {
      if (sqlstateOf(error) !== LOCK_NOT_AVAILABLE) throw error
    })
}

const LOCK_NOT_AVAILABLE = '55P03'

/** What it would log is told by its events, or by the error that it throws. */
export async function quietLogger(): Promise<Logger> {
  const worker = await import('graphile-worker')
  return new worker.Logger(() => () => undefined)
}
