import type { Knex } from 'knex'
import { QUEUE_SCHEMA } from '../migrate/index.js'
import { connectionOf } from '../runtime/index.js'
import { qualified, raw, sql } from '../sql/index.js'

/** Drops receipts whose jobs are gone: nobody runs them again. */
export async function dropReceipts(knex: Knex): Promise<void> {
  await knex.transaction(async (trx) => {
    const connection = await connectionOf(trx)
    await connection.run([
      sql`
      delete from eventward.reactions r
      where not exists (
        select
        from ${raw(qualified(QUEUE_SCHEMA, '_private_jobs'))} j
        where j.id = r.job_id
      )`,
    ])
  })
}
