/** What the compiler says of rules: each line with an error expected is one that must not compile. */
import { defineDispatcher, everything, reactor } from '../../src/react/index.js'
import { type AppendedEvent, defineCommand, eventsOf } from '../../src/runtime/index.js'
import { Account } from '../support/account.js'
import { Subscription } from '../support/subscription.js'

const Events = eventsOf(Subscription)
const { Closed } = eventsOf(Account)
type Activated = AppendedEvent<typeof Subscription, 'Activated'>

const Deactivate = defineCommand({ aggregate: Subscription, build: () => ({ type: 'Deactivated' }) })

// biome-ignore lint/complexity/noStaticOnlyClass: the form in which reactors are often written.
class Confirmation {
  static call(event: Activated): string | null {
    return event.stripe_key
  }
}
const confirm = reactor('confirm', (event: Activated) => event.stripe_key)

export const keyOf = (event: AppendedEvent<typeof Subscription>) =>
  event.type === 'Activated' ? event.stripe_key : event.key.id

export const dispatcher = defineDispatcher((on) => {
  on(Events.Activated, { async: [Confirmation, confirm], trigger: [(event) => event.stripe_key] })
  on(Events.Activated, { trigger: [async (event, { trx }) => Deactivate.call(trx, event.key)] })
  on([Events.Activated, Events.Created], { trigger: [(event) => [event.type, event.data, event.key.id]] })
  on(Subscription, { trigger: [(event) => (event.type === 'Activated' ? event.stripe_key : null)] })
  on(everything, {
    async: [reactor('audit', ({ aggregate, type }: AppendedEvent) => `${aggregate} ${type}`)],
  })
  on(Events.Activated, { async: [reactor('a', (event) => event.stripe_key)] })
  on([Events.Activated, Events.Created], {
    async: [reactor('b', async (event) => [event.type, event.key.id])],
  })
  on(Subscription, {
    async: [reactor('c', (event) => (event.type === 'Activated' ? event.stripe_key : null))],
  })
  on(everything, { async: [reactor('d', (event) => event.aggregate, { ordered: true })] })
  on(Events.Changed, { trigger: [(event) => event.metadata] })

  // @ts-expect-error: no event of the aggregate has that name
  on(Events.Actived, { async: [Confirmation] })
  // @ts-expect-error: a class that takes another event
  on(Events.Created, { async: [Confirmation] })
  // @ts-expect-error: a reactor that takes another event
  on(Events.Deactivated, { async: [confirm] })
  // @ts-expect-error: of another aggregate
  on(Closed, { async: [confirm] })
  // @ts-expect-error: one of several events has no such attribute
  on([Events.Activated, Events.Created], { trigger: [(event) => event.stripe_key] })
  // @ts-expect-error: no reactor
  on(Events.Activated, { async: ['confirm'] })
  // @ts-expect-error: the key of another aggregate's event is not that of a text
  on(Closed, { trigger: [(event) => event.key.owner] })
})
