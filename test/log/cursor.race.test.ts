/** A reader of the log gets each event once, whenever its transaction took its id, drew its position, and committed. */
import type pg from 'pg'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BEGINNING, type Cursor, cursorAt, takeMark } from '../../src/log/index.js'
import { connectionOf } from '../../src/runtime/index.js'
import { appKnex } from '../runtime/app-knex.js'
import { forgetSubscriptions } from '../runtime/reset-subscriptions.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'
import { youngestTransaction } from '../support/youngest.js'
import { EVENTS, readWindow } from './read-window.js'

describe('a cursor', () => {
  const db = testDatabase()
  const app = appKnex(db)
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
  })
  beforeEach(() => forgetSubscriptions(db.admin))
  let young: pg.Client | undefined
  afterEach(() => young?.query('rollback'))

  /** All of one window. */
  const read = async (from: Cursor) => {
    const { events, cursor } = await readWindow(app(), from)
    return { ids: events.filter(({ type }) => type === 'Created').map(({ id }) => id), cursor }
  }

  it('is not told that nothing was written where it may not look', async () => {
    await db.admin.query('create role mark_reader')
    try {
      const asked = app().transaction(async (trx) => {
        await trx.raw('set local role mark_reader')
        return takeMark(await connectionOf(trx), EVENTS, '0')
      })
      await expect(asked).rejects.toMatchObject({ code: '42501' })
    } finally {
      await db.admin.query('drop role mark_reader')
    }
  })

  it.each([
    ['from the beginning', async () => BEGINNING],
    [
      'from a moment at which it was at work',
      () => app().transaction(async (trx) => cursorAt(await takeMark(await connectionOf(trx), EVENTS, null))),
    ],
  ])('reads the event of the youngest transaction once, %s', async (_, begin) => {
    young = await youngestTransaction(db, manySubscriptions(1, 1))
    const first = await read(await begin())
    expect(first.ids).toEqual([])
    // Ends with a greater id: the horizon must not pass the one that is still at work.
    await db.admin.query(manySubscriptions(2, 2))
    const second = await read(first.cursor)
    expect(second.ids).toEqual(['2'])
    const third = await read(second.cursor)
    expect(third.ids).toEqual([])
    await young.query('commit')
    const fourth = await read(third.cursor)
    expect(fourth.ids).toEqual(['1'])
    expect((await read(fourth.cursor)).ids).toEqual([])
  })
})
