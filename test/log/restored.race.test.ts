/** Events that were restored bear transaction ids of another cluster: also those of transactions that are at work in this one. */
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
import { EVENTS, readWindow } from './read-window.js'

describe('a cursor in a restored database', () => {
  const db = testDatabase()
  const app = appKnex(db)
  let atWork: pg.Client
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
  })
  beforeEach(async () => {
    await forgetSubscriptions(db.admin)
    await db.admin.query(manySubscriptions(1, 3))
    atWork = await db.client()
    await atWork.query('begin')
    const { rows } = await atWork.query<{ id: string }>('select pg_current_xact_id() as id')
    await db.admin.query(`
      begin;
      alter table public.events_subscription disable trigger eventward_append_only,
        disable trigger eventward_append_only_own;
      update public.events_subscription set transaction_id = '${rows[0]?.id}' where version = 1;
      alter table public.events_subscription enable always trigger eventward_append_only,
        enable always trigger eventward_append_only_own;
      commit`)
  })
  afterEach(() => atWork.query('rollback'))

  const begun = () =>
    app().transaction(async (trx) => cursorAt(await takeMark(await connectionOf(trx), EVENTS, null)))
  const read = async (from: Cursor) => {
    const { events, cursor } = await readWindow(app(), from)
    return { positions: events.map(({ position }) => position), cursor }
  }

  it('begins with the first event, and keeps the order of streams', async () => {
    const { rows } = await db.admin.query<{ position: string }>(
      'select position from public.events order by position',
    )
    const first = await read(BEGINNING)
    expect(first.positions).toEqual(rows.map(({ position }) => position))
    await atWork.query('rollback')
    expect((await read(first.cursor)).positions).toEqual([])
  })

  it('that begins now gives no old event as a new one, and what is at work now', async () => {
    await atWork.query('update public.subscriptions set user_id = user_id + 1 where id = 1')
    const cursor = await begun()
    const { rows } = await atWork.query<{ position: string }>(
      'select max(position) as position from public.events',
    )
    await atWork.query('commit')
    expect((await read(cursor)).positions).toEqual([rows[0]?.position])
  })
})
