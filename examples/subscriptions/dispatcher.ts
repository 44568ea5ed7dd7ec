/** Who reacts to what. */
import { defineDispatcher } from '../../src/index.js'
import { NewSubscriberNotification, SubscriptionConfirmation, touchUser } from './reactors.js'
import { Events } from './subscription.js'

export const dispatcher = defineDispatcher((on) => {
  on(Events.Activated, { async: [SubscriptionConfirmation] })
  on(Events.Activated, { async: [NewSubscriberNotification] })
  on(Events.Activated, { trigger: [touchUser] })
})
