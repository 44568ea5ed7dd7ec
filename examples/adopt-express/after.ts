/** The same application after the move: reads as before, writes by commands. */
import express, { type ErrorRequestHandler, type Express } from 'express'
import type { Knex } from 'knex'
import { withContext } from '../../src/index.js'
import { Activate, Deactivate, Offer, Reprice, Subscribe, Withdraw } from './commands.js'
import { statusOf } from './status-of.js'

/** What is in a path or a body the commands look at themselves. */
type ById = { id: `${bigint}` }

export function createApp(knex: Knex): Express {
  const app = express().use(express.json())
  // Who, and in which request: it stands in the metadata of each event.
  app.use(({ headers }, _, next) =>
    withContext({ actor: headers['x-user'], requestId: headers['x-request-id'] }, next),
  )

  app.post('/rewards', async ({ body }, response) => {
    const event = await Offer.call(knex, body)
    response.status(201).json(await row('rewards', event?.id))
  })
  app.get('/rewards/:id', async ({ params: { id } }, response) => {
    response.json(await row('rewards', id))
  })
  app.patch<ById>('/rewards/:id', async ({ params: { id }, body }, response) => {
    await Reprice.call(knex, { ...body, id })
    response.json(await row('rewards', id))
  })
  app.delete<ById>('/rewards/:id', async ({ params: { id } }, response) => {
    await Withdraw.call(knex, { id })
    response.status(204).end()
  })

  app.post('/subscriptions', async ({ body }, response) => {
    const events = await Subscribe.call(knex, { ...body, reward: { id: body.reward_id } })
    response.status(201).json(await row('subscriptions', events?.subscription?.[0]?.id))
  })
  app.get('/subscriptions/:id', async ({ params: { id } }, response) => {
    response.json(await row('subscriptions', id))
  })
  app.post<ById>('/subscriptions/:id/activate', async ({ params: { id }, body }, response) => {
    await Activate.call(knex, { ...body, id })
    response.json(await row('subscriptions', id))
  })
  app.post<ById>('/subscriptions/:id/deactivate', async ({ params: { id }, body }, response) => {
    await Deactivate.call(knex, { ...body, id })
    response.json(await row('subscriptions', id))
  })

  const row = async (table: string, id: string | undefined): Promise<unknown> => {
    const found: unknown = await knex(table).where({ id }).first()
    if (found === undefined) throw Object.assign(new Error('not found'), { statusCode: 404 })
    return found
  }
  return app.use(failed)
}

const failed: ErrorRequestHandler = (error, _request, response, _next) => {
  response.status(statusOf(error)).json({ error: error.message })
}
