/** What projections infer, and what the compiler refuses. Never run. */
import { type AppendedEvent, defineProjection, eventsOf } from '../../src/index.js'
import { Subscription } from '../support/subscription.js'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(..._: Same<A, B> extends true ? [] : ['these types differ']): void {}

const { Activated, Created, Deleted } = eventsOf(Subscription)

defineProjection({
  name: 'per_reward',
  version: 1,
  mode: 'async',
  create: (schema, table) => schema.createTable(table, (t) => t.text('id').primary()),
  on: (on) => {
    on(Activated, (event, { trx, table }) => {
      same<typeof event, AppendedEvent<typeof Subscription, 'Activated'>>()
      same<typeof event.stripe_key, string | null>()
      // @ts-expect-error: no attribute of this event
      event.reward_id
      return trx(table).insert({ id: event.id })
    })
    on([Created, Activated], (event) => {
      same<typeof event.type, 'Created' | 'Activated'>()
      if (event.type === 'Created') event.data.reward_id satisfies string
      // @ts-expect-error: Activated doesn't carry it
      event.data.reward_id
    })
    on(Subscription, (event) => {
      same<typeof event.type, 'Created' | 'Activated' | 'Deactivated'>()
    })
    on(Deleted, (event) => {
      same<typeof event.id, string>()
    })
    // @ts-expect-error: no event
    on('Activated', () => undefined)
    // @ts-expect-error: no event of this aggregate
    on(eventsOf(Subscription).Paused, () => undefined)
  },
})
defineProjection({
  name: 'per_reward',
  version: 1,
  // @ts-expect-error: neither inline nor async
  mode: 'sync',
  create: (schema) => schema,
  on: () => undefined,
})
