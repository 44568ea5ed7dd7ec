/** The application of ../adopt-express after the move, on fastify: the same commands, the same answers. */
import createFastify, { type FastifyInstance } from 'fastify'
import type { Knex } from 'knex'
import type { z } from 'zod'
import { withContext } from '../../src/index.js'
import type * as bodies from '../adopt-express/bodies.js'
import { Activate, Deactivate, Offer, Reprice, Subscribe, Withdraw } from '../adopt-express/commands.js'
import { statusOf } from '../adopt-express/status-of.js'

/** What a request brings; the commands validate it. */
type Asked<Body extends z.ZodType = z.ZodUnknown> = { Params: { id: `${bigint}` }; Body: z.input<Body> }

export function createApp(knex: Knex): FastifyInstance {
  const app = createFastify()
  // Who, and in which request: it stands in the metadata of each event.
  app.addHook('onRequest', ({ headers }, _, done) =>
    withContext({ actor: headers['x-user'], requestId: headers['x-request-id'] }, done),
  )
  app.setErrorHandler((error: Error, _, reply) => {
    reply.status(statusOf(error)).send({ error: error.message })
  })

  app.post<Asked<typeof bodies.NewReward>>('/rewards', async ({ body }, reply) => {
    const event = await Offer.call(knex, body)
    return reply.status(201).send(await row('rewards', event?.id))
  })
  app.get<Asked>('/rewards/:id', async ({ params: { id } }) => row('rewards', id))
  app.patch<Asked<typeof bodies.NewPrice>>('/rewards/:id', async ({ params: { id }, body }) => {
    await Reprice.call(knex, { ...body, id })
    return row('rewards', id)
  })
  app.delete<Asked>('/rewards/:id', async ({ params: { id } }, reply) => {
    await Withdraw.call(knex, { id })
    return reply.status(204).send()
  })

  app.post<Asked<typeof bodies.NewSubscription>>('/subscriptions', async ({ body }, reply) => {
    const events = await Subscribe.call(knex, { ...body, reward: { id: body.reward_id } })
    return reply.status(201).send(await row('subscriptions', events?.subscription?.[0]?.id))
  })
  app.get<Asked>('/subscriptions/:id', async ({ params: { id } }) => row('subscriptions', id))
  app.post<Asked<typeof bodies.Activation>>(
    '/subscriptions/:id/activate',
    async ({ params: { id }, body }) => {
      await Activate.call(knex, { ...body, id })
      return row('subscriptions', id)
    },
  )
  app.post<Asked<typeof bodies.Deactivation>>(
    '/subscriptions/:id/deactivate',
    async ({ params: { id }, body }) => {
      await Deactivate.call(knex, { ...body, id })
      return row('subscriptions', id)
    },
  )

  const row = async (table: string, id: string | undefined): Promise<unknown> => {
    const found: unknown = await knex(table).where({ id }).first()
    if (found === undefined) throw Object.assign(new Error('not found'), { statusCode: 404 })
    return found
  }
  return app
}
