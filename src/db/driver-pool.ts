import { Pool } from 'pg'
import type { ApplicationOptions } from './application-knex.js'

/** The driver's own pool, for a library that wants one. End it when done. */
export function driverPool({ url, applicationName, max = 1 }: ApplicationOptions): Pool {
  const pool = new Pool({
    ...(url === undefined ? {} : { connectionString: url }),
    application_name: applicationName,
    max,
  })
  // Without listeners the death of a connection, idle or lent, would end the process. Whoever uses it next gets the error.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}
