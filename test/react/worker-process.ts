/** A worker in a process of its own: handles events slowly enough to be killed in the middle, or works until SIGTERM. */
import { defineDispatcher, reactionWorker, reactor } from '../../src/react/index.js'
import { type AppendedEvent, eventsOf } from '../../src/runtime/index.js'
import { Subscription } from '../support/subscription.js'

const [url = '', hangAt = ''] = process.argv.slice(2)
const { Created } = eventsOf(Subscription)

const write = (transaction: boolean) =>
  reactor<AppendedEvent>(
    transaction ? 'ledger' : 'mail',
    async (event, { knex, key }) => {
      await knex.raw('insert into public.written values (?, ?)', [transaction ? 'ledger' : 'mail', key])
      // Within what it does: written, and not committed where there's a transaction.
      if (event.id === hangAt) {
        process.stdout.write('hangs\n')
        await new Promise(() => undefined)
      }
    },
    { transaction },
  )

const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())
const worker = await reactionWorker({
  url,
  dispatcher: defineDispatcher((on) => on(Created, { async: [write(true), write(false)] })),
  signal: stop.signal,
  pollMs: 50,
  concurrency: 2,
  on: (happened) => process.stdout.write(`${JSON.stringify(happened)}\n`),
})
process.stdout.write('ready\n')
await worker.run()
await worker.close()
process.stdout.write('ended\n')
