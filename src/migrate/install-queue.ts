import type { Logger } from 'graphile-worker'
import { driverPool } from '../db/index.js'

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
  } finally {
    await pgPool.end()
  }
}

/** What it would log is told by its events, or by the error that it throws. */
export async function quietLogger(): Promise<Logger> {
  const worker = await import('graphile-worker')
  return new worker.Logger(() => () => undefined)
}
