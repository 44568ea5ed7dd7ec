/** The slides' story, on the database of DATABASE_URL: see README.md. */
import createKnex, { type Knex } from 'knex'
import { reactionWorker, withContext, withEvents } from '../../src/index.js'
import { Activate, Subscribe } from './commands.js'
import { dispatcher } from './dispatcher.js'
import { isActivated, Subscriptions } from './subscription.js'

const url = process.env['DATABASE_URL']
const knex = createKnex({ client: 'pg', connection: url ?? '', pool: { min: 0 } })
try {
  await asOnTheSlide(knex)
  dispatcher.attach(knex)

  const created = await Subscribe.call(
    knex,
    { user_id: 123, reward_id: 334, payment_source_key: 224 },
    { metadata: { user_id: 123 } },
  )
  const activated = await Activate.call(
    knex,
    { id: 12, stripe_key: 'sub_66123' },
    { metadata: { notification_id: 33456 } },
  )
  const again = await Activate.call(knex, { id: 12, stripe_key: 'sub_66123' })
  for (const event of [created, activated, again]) {
    console.log(
      event === null
        ? 'nothing to do'
        : `${event.position} ${event.id} ${event.type} ${JSON.stringify(event.data)}`,
    )
  }
  const subscription = await Subscriptions.get(knex, { id: 12 })
  console.log(`activated: ${isActivated(subscription)}, by ${activated?.stripe_key}`)

  // Old code goes on as it is: its writes are captured, and bear who made them.
  await withContext({ actor: 'ada', requestId: 'r-1' }, () =>
    withEvents(knex)('subscriptions')
      .where({ id: 12 })
      .update({ status: 'inactive', deactivated_at: knex.fn.now() }),
  )
  await Activate.call(knex, { id: 12, stripe_key: 'sub_66123' }).catch((error: Error) =>
    console.log(error.message),
  )

  // What `eventward work` does, in a process of its own, for as long as it runs.
  const worker = await reactionWorker({ url, dispatcher })
  await worker.once()
  await worker.close()
  for (const { template, subscription_id } of await knex('mails').orderBy('template')) {
    console.log(`mail: ${template}, subscription ${subscription_id}`)
  }
  for (const { version, type, changed } of await Subscriptions.history(knex, { id: 12 })) {
    console.log(`${version} ${type} changed ${changed.map(({ column }) => column).join(', ')}`)
  }
} finally {
  await knex.destroy()
}

/** The slides' system has run for a while: its next subscription is 12, its next event 38920; user 123 is known. */
async function asOnTheSlide(on: Knex): Promise<void> {
  await on.raw('alter table public.subscriptions alter column id restart with 12')
  await on.raw(`select setval('public.events_position_seq', 38919)`)
  await on('users').insert({ id: 123, updated_at: '2018-01-01' }).onConflict('id').ignore()
}
