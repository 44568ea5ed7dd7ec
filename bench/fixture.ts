import pg from 'pg'
import { migrateUp } from '../src/migrate/index.js'
import { DIGEST } from './floors.js'
import type { BenchServer } from './server.js'
import { CREATE_TABLE, fillTable } from './subscription.js'

/** A connection for what is not measured. */
export interface Fixture {
  readonly client: pg.Client
  /** Empties events and bookkeeping, and writes out what earlier runs left dirty. */
  readonly emptyEvents: () => Promise<void>
  /** Leaves the events as after a while: hint bits set, analysed. */
  readonly settle: () => Promise<void>
  readonly digest: () => Promise<string>
  readonly close: () => Promise<void>
}

/** The table with its rows, and our migrations. */
export async function makeFixture(server: BenchServer, rows: number): Promise<Fixture> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  await client.query(
    'drop table if exists public.subscriptions; drop type if exists public.subscription_status',
  )
  await client.query(CREATE_TABLE)
  await client.query(fillTable(rows))
  await client.query('vacuum (freeze, analyze) public.subscriptions')
  await migrateUp({ url: server.url, events: { schema: 'public', table: 'events' } })
  await client.query(`set timezone = 'UTC'`)
  return {
    client,
    emptyEvents: async () => {
      await client.query('drop table if exists public.events_subscription')
      await client.query(`select eventward.create_partition('Subscription', 'events_subscription')`)
      await client.query(
        'truncate eventward.runs, eventward.chunks, eventward.aggregates, eventward.definitions, eventward.mismatches',
      )
      await client.query('checkpoint')
    },
    settle: async () => {
      await client.query('vacuum (analyze) public.events_subscription')
      await client.query('checkpoint')
    },
    digest: async () => JSON.stringify((await client.query(DIGEST)).rows),
    close: () => client.end(),
  }
}
