import { Pool } from 'pg'
import type { ApplicationOptions } from './application-knex.js'

/** The driver's own pool, for a library that wants one. End it when done. */
export function driverPool({ url, applicationName, max = 1 }: ApplicationOptions): Pool {
  return new Pool({
    ...(url === undefined ? {} : { connectionString: url }),
    application_name: applicationName,
    max,
  })
}
