import type { Knex } from 'knex'
import { databaseError, sqlstateOf } from '../db/index.js'
import { EventwardError } from '../errors/index.js'

/** What the driver threw, as an error of ours that says where; anything else stays as it is. */
export function asDatabaseError(knex: Knex, error: unknown): unknown {
  if (error instanceof EventwardError || sqlstateOf(error) === undefined) return error
  // Public in knex's documentation for dialects, untyped.
  const settings = knex.client.connectionSettings as Readonly<Record<string, unknown>>
  const url =
    typeof settings['connectionString'] === 'string' && URL.canParse(settings['connectionString'])
      ? new URL(settings['connectionString'])
      : null
  const text = (name: string): string => String(settings[name] ?? '')
  return databaseError(error, {
    host: url?.hostname ?? text('host'),
    port: url?.port ?? text('port'),
    database: url?.pathname.slice(1) ?? text('database'),
    user: url?.username ?? text('user'),
  })
}
