/** The application as it was: CRUD on its tables, and nothing of eventward. */
import express, { type ErrorRequestHandler, type Express } from 'express'
import type { Knex } from 'knex'
import { Activation, Deactivation, NewPrice, NewReward, NewSubscription } from './bodies.js'

export function createApp(knex: Knex): Express {
  const app = express().use(express.json())

  app.post('/rewards', async ({ body }, response) => {
    const [reward] = await knex('rewards').insert(NewReward.parse(body)).returning('*')
    response.status(201).json(reward)
  })
  app.get('/rewards/:id', async ({ params: { id } }, response) => {
    response.json(found(await knex('rewards').where({ id }).first()))
  })
  app.patch('/rewards/:id', async ({ params: { id }, body }, response) => {
    const [reward] = await knex('rewards').where({ id }).update(NewPrice.parse(body)).returning('*')
    response.json(found(reward))
  })
  app.delete('/rewards/:id', async ({ params: { id } }, response) => {
    response.status((await knex('rewards').where({ id }).delete()) === 0 ? 404 : 204).end()
  })

  app.post('/subscriptions', async ({ body }, response) => {
    const given = NewSubscription.parse(body)
    const subscription = await knex.transaction(async (trx) => {
      const reward = found(await trx('rewards').where({ id: given.reward_id }).forUpdate().first())
      if (reward.places === 0) throw refused(409)
      await trx('rewards').where({ id: given.reward_id }).decrement('places')
      return (await trx('subscriptions').insert(given).returning('*'))[0]
    })
    response.status(201).json(subscription)
  })
  app.get('/subscriptions/:id', async ({ params: { id } }, response) => {
    response.json(found(await knex('subscriptions').where({ id }).first()))
  })
  app.post('/subscriptions/:id/activate', async ({ params: { id }, body }, response) => {
    const change = { ...Activation.parse(body), status: 'active', activated_at: knex.fn.now() }
    await knex('subscriptions').where({ id, status: 'unpaid' }).update(change)
    const subscription = found(await knex('subscriptions').where({ id }).first())
    if (subscription.status === 'inactive') throw refused(409)
    response.json(subscription)
  })
  app.post('/subscriptions/:id/deactivate', async ({ params: { id }, body }, response) => {
    Deactivation.parse(body)
    const change = { status: 'inactive', deactivated_at: knex.fn.now() }
    await knex('subscriptions').where({ id }).whereNot({ status: 'inactive' }).update(change)
    response.json(found(await knex('subscriptions').where({ id }).first()))
  })

  return app.use(failed)
}

const refused = (status: number) => Object.assign(new Error('refused'), { status })
function found<T>(row: T | undefined): T {
  if (row === undefined) throw refused(404)
  return row
}

/** 23503: there are subscriptions to this reward. 22P02: the path's id is no number. */
const STATUS: Readonly<Record<string, number>> = { 23503: 409, '22P02': 400 }
const failed: ErrorRequestHandler = (error, _request, response, _next) => {
  const status = error.name === 'ZodError' ? 400 : (error.status ?? STATUS[error.code] ?? 500)
  response.status(status).json({ error: error.message })
}
