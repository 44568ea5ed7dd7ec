import { applicationKnex } from '../../src/db/index.js'
import { defineCommand } from '../../src/runtime/index.js'
import { Subscription } from '../subscription.js'
import { type CommandForm, STRIPE_KEY } from './command-form.js'

const Flip = defineCommand({
  name: 'Flip',
  aggregate: Subscription,
  build: ({ status }) =>
    status === 'active' ? { type: 'Deactivated' } : { type: 'Activated', data: { stripe_key: STRIPE_KEY } },
})

/** A command on the captured table, on an application's knex. */
export function eventward(url: string, connections: number): CommandForm {
  const knex = applicationKnex({ url, applicationName: 'bench', max: connections })
  return { flip: (id) => Flip.call(knex, { id }), close: () => knex.destroy() }
}
