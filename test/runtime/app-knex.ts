import createKnex, { type Knex } from 'knex'
import { afterAll } from 'vitest'
import type { TestDatabase } from '../support/database.js'

/**
 * The application's own knex on a test database, closed at the end: with settings of its own, as an application's may
 * be, so that nothing of ours can depend on them.
 */
export function appKnex(db: TestDatabase, { max = 4 }: { readonly max?: number } = {}): () => Knex {
  let knex: Knex | undefined
  afterAll(async () => knex?.destroy())
  return () => {
    knex ??= createKnex({
      client: 'pg',
      connection: {
        connectionString: db.url,
        options:
          '-c TimeZone=America/New_York -c DateStyle=SQL,DMY -c IntervalStyle=sql_standard -c extra_float_digits=-3',
      } as Knex.PgConnectionConfig,
      pool: { min: 0, max },
    })
    return knex
  }
}
