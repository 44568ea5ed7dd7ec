/** An application rolls back to a savepoint, and with it the lock that a command took on a projection. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { attachProjections, dropOld, projectionRunner, replay } from '../../src/project/index.js'
import { appKnex } from '../runtime/app-knex.js'
import { forgetSubscriptions } from '../runtime/reset-subscriptions.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'
import { Activate, Deactivate, EXPECTED, perSubscription, SHOWN } from './per-subscription.js'

const STATEMENT =
  'update public.subscriptions set status = $2, activated_at = clock_timestamp() where id = $1'

describe('a command behind a rollback to a savepoint of before another one', () => {
  const db = testDatabase()
  const app = appKnex(db)
  const inline = () => perSubscription({ mode: 'inline' })
  const work = () => projectionRunner({ knex: app(), projections: [inline()] }).once()
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
  })
  beforeEach(async () => {
    await forgetSubscriptions(db.admin)
    await db.admin.query(manySubscriptions(1, 10))
    await replay(app(), inline())
  })

  /** What the application undoes, what others do then, and a command that stays. */
  async function undoneThen(others: () => Promise<unknown>): Promise<void> {
    const off = attachProjections(app(), [inline()])
    try {
      await app().transaction(async (trx) => {
        await trx.raw('savepoint application')
        await Activate.call(trx, { id: 1 })
        await trx.raw('rollback to savepoint application')
        await others()
        await Deactivate.call(trx, { id: 2 })
      })
    } finally {
      off()
    }
    await work()
    expect((await db.admin.query(SHOWN)).rows).toEqual((await db.admin.query(EXPECTED)).rows)
  }

  it('writes no event that the reader has written meanwhile', () =>
    undoneThen(async () => {
      await db.admin.query(STATEMENT, ['2', 'inactive'])
      await db.admin.query(STATEMENT, ['2', 'active'])
      expect(await work()).toMatchObject([{ state: 'written', events: 1 }])
    }))

  it('writes to the generation that was made live meanwhile', () =>
    undoneThen(async () => {
      await replay(app(), inline())
      await dropOld(app(), inline())
    }))
})
