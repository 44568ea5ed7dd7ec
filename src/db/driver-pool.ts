import { Pool } from 'pg'
import type { ApplicationOptions } from './application-knex.js'
import { pinSettings } from './pin-settings.js'

/** The driver's own pool under our settings, for a library that wants one. End it when done. */
export function driverPool({ url, applicationName, max = 1 }: ApplicationOptions): Pool {
  const pool = new Pool({
    ...(url === undefined ? {} : { connectionString: url }),
    application_name: applicationName,
    max,
    // Before it is lent: a database may be read only by default, or SERIALIZABLE. The pool waits for it, though its type
    // doesn't say so.
    onConnect: (client) => client.query(pinSettings(applicationName).text),
  })
  // Without listeners the death of a connection, idle or lent, would end the process. Whoever uses it next gets the error.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}
