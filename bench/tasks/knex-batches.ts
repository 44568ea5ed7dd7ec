import createKnex from 'knex'
import type { Outcome } from '../task.js'

/** A batch as most people would choose it. */
const BATCH = 1_000

interface Row {
  readonly id: string
  readonly user_id: string
  readonly reward_id: string
  readonly payment_source_key: string | null
  readonly status: string
  readonly stripe_key: string | null
  readonly created_at: Date
  readonly activated_at: Date | null
  readonly deactivated_at: Date | null
}

const METADATA = { source: 'backfill', run: '1', definition: '0123456789ab', writer: 'by-knex/0.1.0' }

/** What most people would write: rows out in batches, events made in JavaScript, inserted by knex. (It loses microseconds.) */
export async function knexBatches(url: string): Promise<Outcome> {
  const knex = createKnex({ client: 'pg', connection: url, pool: { min: 1, max: 1 } })
  let events = 0
  try {
    let last = '0'
    for (;;) {
      const rows = (await knex('subscriptions').where('id', '>', last).orderBy('id').limit(BATCH)) as Row[]
      const end = rows.at(-1)
      if (end === undefined) return { events }
      last = end.id
      const made = rows.flatMap(eventsOf)
      await knex.transaction((trx) => trx.batchInsert('events', made, BATCH))
      events += made.length
    }
  } finally {
    await knex.destroy()
  }
}

function eventsOf(row: Row): Record<string, unknown>[] {
  const { user_id, reward_id, payment_source_key, stripe_key } = row
  const events = [event(row, 1, 'Created', { user_id, reward_id, payment_source_key }, row.created_at)]
  if (row.activated_at !== null) events.push(event(row, 2, 'Activated', { stripe_key }, row.activated_at))
  if (row.deactivated_at !== null) {
    events.push(event(row, 3, 'Deactivated', {}, row.deactivated_at))
    if (row.status === 'unpaid') events.push(event(row, 4, 'Changed', { status: row.status }, row.created_at))
  }
  return events
}

function event(row: Row, version: number, type: string, data: object, at: Date): Record<string, unknown> {
  return {
    aggregate_type: 'Subscription',
    aggregate_id: row.id,
    version,
    type,
    schema_version: 1,
    data: JSON.stringify(data),
    metadata: JSON.stringify(METADATA),
    occurred_at: at,
  }
}
