import createKnex, { type Knex } from 'knex'
import { DatabaseError } from '../errors/index.js'
import type { Query, QueryValue } from '../sql/index.js'

/** knex as a builder only: it has no connection; run what it builds by `fromKnex` and a session. */
export const builder: Knex = createKnex({ client: 'pg' })

/** Turns what knex built into a query for a session: numbers, bigints and booleans become their text. */
export function fromKnex(built: Knex.QueryBuilder | Knex.Raw): Query {
  const { sql, bindings } = built.toSQL().toNative()
  return { text: sql, values: bindings.map(asQueryValue) }
}

function asQueryValue(value: unknown): QueryValue {
  if (value === null || typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return String(value)
  if (Array.isArray(value)) return value.map((item) => (item === null ? null : String(item)))
  throw new DatabaseError(
    'EW_DB_BINDING',
    `a ${typeof value} can not be bound: give its text and cast it in SQL`,
  )
}
