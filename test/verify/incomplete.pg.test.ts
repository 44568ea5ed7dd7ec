/** What could not be stored was noted in another cluster, and restored here: its transaction id says nothing. */
import { beforeAll, expect, it } from 'vitest'
import { verify } from '../../src/verify/index.js'
import { provenSubscriptions } from '../cutover/proven-table.js'
import { testDatabase } from '../support/database.js'
import { Subscription } from '../support/subscription.js'

const db = testDatabase()

beforeAll(() => provenSubscriptions(db, 5))

it('is closed by a clean verify', async () => {
  await db.admin.query(`insert into eventward.incomplete (aggregate_type, aggregate_id, reason, transaction_id)
    values ('Subscription', '1', 'test', '9000000000')`)
  expect((await verify(db.database, Subscription)).table).toMatchObject({ clean: true })
  const { rows } = await db.admin.query(
    'select aggregate_id from eventward.incomplete where resolved_at is null',
  )
  expect(rows).toEqual([])
})
