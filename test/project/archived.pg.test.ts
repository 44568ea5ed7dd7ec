/** `backfill --restart` archives a table's events and writes others: what was made of the first ones must not get the second. */
import { beforeAll, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { projectionRunner, replay } from '../../src/project/index.js'
import { appKnex } from '../runtime/app-knex.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'
import { EXPECTED, perSubscription, SHOWN } from './per-subscription.js'

const db = testDatabase()
const app = appKnex(db)
const work = () => projectionRunner({ knex: app(), projections: [perSubscription()] }).once()

beforeAll(async () => {
  await db.admin.query(createSubscriptions)
  await installCapture(db.database, Subscription)
  await db.admin.query(manySubscriptions(1, 10))
})

it('a projection of events that were archived is written no more, until it is built anew', async () => {
  expect(await work()).toMatchObject([{ state: 'written', events: 20 }])
  await backfill(db.database, Subscription, { restart: true, confirm: 'subscriptions' })
  expect(await work()).toMatchObject([{ state: 'failed', events: 0, error: { code: 'EW_LOG_EPOCH' } }])
  expect(await replay(app(), perSubscription())).toMatchObject({ noParity: 'of events that were archived' })
  expect((await db.admin.query(SHOWN)).rows).toEqual((await db.admin.query(EXPECTED)).rows)
  expect(await work()).toMatchObject([{ state: 'written', events: 0 }])
})

it('what was built of them before they were archived is built anew as well', async () => {
  const stop = new AbortController()
  const stopped = replay(app(), perSubscription(), {
    pageSize: 3,
    signal: stop.signal,
    onProgress: () => stop.abort(),
  })
  await expect(stopped).rejects.toMatchObject({ code: 'EW_STOPPED' })
  await backfill(db.database, Subscription, { restart: true, confirm: 'subscriptions' })
  expect(await replay(app(), perSubscription())).toMatchObject({ resumed: false })
  expect((await db.admin.query(SHOWN)).rows).toEqual((await db.admin.query(EXPECTED)).rows)
})
