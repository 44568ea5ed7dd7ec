/** A subscription with Emmett; beside it, in eventward.ts, the same with us. docs/compared-with-emmett.md shows both. */
import { type SQL, sql } from '@event-driven-io/dumbo'
import { CommandHandler, type Event, IllegalStateError, projections } from '@event-driven-io/emmett'
import {
  getPostgreSQLEventStore,
  type PostgresEventStore,
  postgreSQLRawSQLProjection,
} from '@event-driven-io/emmett-postgresql'
import { z } from 'zod'

// #region events
type SubscriptionEvent =
  | Event<'Created', { id: number; user_id: number; reward_id: number; created_at: string }>
  | Event<'Activated', { id: number; stripe_key: string; activated_at: string }>
  | Event<'Deactivated', { id: number; reason: string; deactivated_at: string }>

type Subscription = { status: 'none' | 'unpaid' | 'active' | 'inactive' }

const evolve = (state: Subscription, { type }: SubscriptionEvent): Subscription => {
  switch (type) {
    case 'Created':
      return { ...state, status: 'unpaid' }
    case 'Activated':
      return { ...state, status: 'active' }
    case 'Deactivated':
      return { ...state, status: 'inactive' }
  }
}
const initialState = (): Subscription => ({ status: 'none' })
// #endregion

// #region row
const row = postgreSQLRawSQLProjection<SubscriptionEvent>({
  name: 'subscriptions',
  canHandle: ['Created', 'Activated', 'Deactivated'],
  evolve: ({ type, data }): SQL => {
    switch (type) {
      case 'Created':
        return sql(
          `insert into public.subscriptions (id, user_id, reward_id, status, created_at)
           values (%L, %L, %L, 'unpaid', %L)`,
          data.id,
          data.user_id,
          data.reward_id,
          data.created_at,
        )
      case 'Activated':
        return sql(
          `update public.subscriptions set status = 'active', stripe_key = %L, activated_at = %L where id = %L`,
          data.stripe_key,
          data.activated_at,
          data.id,
        )
      case 'Deactivated':
        return sql(
          `update public.subscriptions set status = 'inactive', deactivated_at = %L where id = %L`,
          data.deactivated_at,
          data.id,
        )
    }
  },
})

const store = (url: string) => getPostgreSQLEventStore(url, { projections: projections.inline([row]) })
// #endregion

// #region commands
const handle = CommandHandler({ evolve, initialState, retry: { onVersionConflict: true } })
const stream = (id: number) => `subscription-${id}`
const now = () => new Date().toISOString()

const Subscribe = z.object({ user_id: z.int(), reward_id: z.int() })
const subscribe = async (on: PostgresEventStore, id: number, input: z.input<typeof Subscribe>) => {
  const given = Subscribe.parse(input)
  return handle(on, stream(id), ({ status }) => {
    if (status !== 'none') throw new IllegalStateError('it exists')
    return { type: 'Created', data: { id, ...given, created_at: now() } }
  })
}

const Activate = z.object({ stripe_key: z.string().min(1) })
const activate = async (on: PostgresEventStore, id: number, input: z.input<typeof Activate>) => {
  const { stripe_key } = Activate.parse(input)
  return handle(on, stream(id), ({ status }) => {
    if (status === 'none') throw new IllegalStateError('there is none')
    if (status === 'inactive') throw new IllegalStateError('it was deactivated')
    if (status === 'active') return []
    return { type: 'Activated', data: { id, stripe_key, activated_at: now() } }
  })
}

const Deactivate = z.object({ reason: z.string().min(1) })
const deactivate = async (on: PostgresEventStore, id: number, input: z.input<typeof Deactivate>) => {
  const { reason } = Deactivate.parse(input)
  return handle(on, stream(id), ({ status }) => {
    if (status === 'none') throw new IllegalStateError('there is none')
    if (status === 'inactive') return []
    return { type: 'Deactivated', data: { id, reason, deactivated_at: now() } }
  })
}
// #endregion

// #region history
const history = async (on: PostgresEventStore, id: number) =>
  (await on.readStream<SubscriptionEvent>(stream(id))).events
const statusAt = async (on: PostgresEventStore, id: number, version: number) =>
  (await on.aggregateStream(stream(id), { evolve, initialState, read: { to: BigInt(version) } })).state.status
// #endregion

export const subscriptions = (url: string) => {
  const on = store(url)
  return {
    subscribe: (id: number, user_id: number, reward_id: number) => subscribe(on, id, { user_id, reward_id }),
    activate: (id: number, stripe_key: string) => activate(on, id, { stripe_key }),
    deactivate: (id: number, reason: string) => deactivate(on, id, { reason }),
    history: async (id: number) => (await history(on, id)).map(({ type }) => type),
    statusAt: (id: number, version: number) => statusAt(on, id, version),
    close: () => on.close(),
  }
}
