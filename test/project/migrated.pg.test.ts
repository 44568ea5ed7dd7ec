/** What a command has written inline is told by the number of a generation: it must be no other one's, ever. */
import { expect, it } from 'vitest'
import { migrateDown, migrateUp } from '../../src/migrate/index.js'
import { attachProjections, replay } from '../../src/project/index.js'
import { appKnex } from '../runtime/app-knex.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'
import { Activate, EXPECTED, perSubscription, SHOWN } from './per-subscription.js'

const db = testDatabase()
const app = appKnex(db)

it('a projection is built of all events where its migration was taken back and applied again', async () => {
  await db.admin.query(createSubscriptions)
  await installCapture(db.database, Subscription)
  await db.admin.query(manySubscriptions(1, 3))
  const projection = perSubscription({ mode: 'inline' })
  expect(await replay(app(), projection)).toMatchObject({ generation: 1 })
  const off = attachProjections(app(), [projection])
  await Activate.call(app(), { id: 3 }).finally(off)
  const options = { url: db.url, events: { schema: 'public', table: 'events' } }
  for (let taken = ''; taken !== '010_projections'; )
    taken = (await migrateDown(options)).migrations[0] ?? '010_projections'
  await migrateUp(options)
  await db.admin.query('drop view public.activations; drop table public.activations__g1')
  const again = await replay(app(), projection)
  expect((await db.admin.query(SHOWN)).rows).toEqual((await db.admin.query(EXPECTED)).rows)
  expect(again.generation).toBe(2)
})
