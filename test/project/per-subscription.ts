import type { Knex } from 'knex'
import { defineProjection, type Projection, type ProjectionInput } from '../../src/project/index.js'
import { defineCommand, eventsOf } from '../../src/runtime/index.js'
import { Subscription } from '../support/subscription.js'

export const Events = eventsOf(Subscription)

/** Counts activations: an event that is written twice, or never, shows. `seen` is the order within the stream. */
export function perSubscription(
  given: Partial<Pick<ProjectionInput, 'mode' | 'version' | 'create' | 'name'>> & {
    readonly onEvent?: (position: string, trx: Knex.Transaction) => Promise<void> | void
  } = {},
): Projection {
  const { onEvent, ...input } = given
  return defineProjection({
    name: 'activations',
    version: 1,
    mode: 'async',
    create: (schema, table) =>
      schema.createTable(table, (t) => {
        t.text('id').primary()
        t.bigInteger('times').notNullable()
        t.text('seen').notNullable()
      }),
    on: (on) => {
      on([Events.Created, Events.Activated, Events.Deactivated], async (event, { trx, table }) => {
        await onEvent?.(event.position, trx)
        const times = event.type === 'Activated' ? 1 : 0
        await trx.raw(
          `insert into ?? as t (id, times, seen) values (?, ?, ?)
           on conflict (id) do update set times = t.times + excluded.times, seen = t.seen || ' ' || excluded.seen`,
          [table, event.id, times, `${event.version}${event.type[0]}`],
        )
      })
    },
    ...input,
  })
}

export const Activate = defineCommand({
  name: 'Activate',
  aggregate: Subscription,
  build: () => ({ type: 'Activated', data: { stripe_key: 'sub_x' } }),
})
export const Deactivate = defineCommand({
  name: 'Deactivate',
  aggregate: Subscription,
  build: () => ({ type: 'Deactivated' }),
})
/** What the log says the view must show. */
export const EXPECTED = `
  select aggregate_id as id, count(*) filter (where type = 'Activated')::text as times,
    string_agg(version || left(type, 1), ' ' order by version) as seen
  from public.events
  where type in ('Created', 'Activated', 'Deactivated')
  group by aggregate_id
  order by aggregate_id collate "C"`
export const SHOWN = `select id, times::text, seen from public.activations order by id collate "C"`
