import { type SQL, sql } from '@event-driven-io/dumbo'
import { CommandHandler, type Event, projections } from '@event-driven-io/emmett'
import { getPostgreSQLEventStore, postgreSQLRawSQLProjection } from '@event-driven-io/emmett-postgresql'
import pg from 'pg'
import { type CommandForm, STRIPE_KEY } from './command-form.js'

type SubscriptionEvent =
  | Event<'Created', { id: number; created_at: string }>
  | Event<'Activated', { id: number; stripe_key: string; activated_at: string }>
  | Event<'Deactivated', { id: number; deactivated_at: string }>

/** What a decision needs to know: less to fold than the row. */
interface State {
  readonly status: 'none' | 'unpaid' | 'active' | 'inactive'
}

const STATUS = { Created: 'unpaid', Activated: 'active', Deactivated: 'inactive' } as const

const handle = CommandHandler<State, SubscriptionEvent>({
  initialState: () => ({ status: 'none' }),
  evolve: (_, { type }) => ({ status: STATUS[type] }),
  retry: { onVersionConflict: true },
})

/** The row, in the transaction of the append. By its name the store looks, in the same transaction, whether it may run. */
const row = postgreSQLRawSQLProjection<SubscriptionEvent>({
  name: 'subscriptions',
  canHandle: ['Created', 'Activated', 'Deactivated'],
  evolve: ({ type, data }): SQL | SQL[] => {
    switch (type) {
      case 'Created':
        return []
      case 'Activated':
        return sql(
          `update bench.emmett_subscriptions set status = 'active', stripe_key = %L, activated_at = %L where id = %L`,
          data.stripe_key,
          data.activated_at,
          data.id,
        )
      case 'Deactivated':
        return sql(
          `update bench.emmett_subscriptions set status = 'inactive', deactivated_at = %L where id = %L`,
          data.deactivated_at,
          data.id,
        )
    }
  },
})

/** Emmett's event store with an inline projection of the row in SQL, on a pool of pg. */
export function emmett(url: string, connections: number): CommandForm {
  const pool = new pg.Pool({ connectionString: url, max: connections })
  const store = storeOn(url, pool, 'None')
  return {
    flip: (id) =>
      handle(store, `subscription-${id}`, ({ status }) => {
        const now = new Date().toISOString()
        return status === 'active'
          ? { type: 'Deactivated', data: { id, deactivated_at: now } }
          : { type: 'Activated', data: { id, stripe_key: STRIPE_KEY, activated_at: now } }
      }),
    close: async () => {
      await store.close()
      await pool.end()
    },
  }
}

/** Creates Emmett's tables and functions, and registers the projection. */
export async function installEmmett(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  const store = storeOn(url, pool, 'CreateOrUpdate')
  await store.schema.migrate()
  await store.close()
  await pool.end()
}

function storeOn(url: string, pool: pg.Pool, autoMigration: 'None' | 'CreateOrUpdate') {
  return getPostgreSQLEventStore(url, {
    projections: projections.inline([row]),
    schema: { autoMigration },
    connectionOptions: { pool },
  })
}
