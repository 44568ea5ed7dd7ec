/** An export from a database that was restored elsewhere: its events bear transaction ids of another cluster. */
import { PassThrough } from 'node:stream'
import { beforeAll, describe, expect, it } from 'vitest'
import { exportEvents } from '../../src/transfer/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

describe('an export from a database that was restored elsewhere', () => {
  const db = testDatabase()
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
    await db.admin.query(manySubscriptions(1, 30))
    await db.admin.query(`
      alter table public.events_subscription disable trigger eventward_append_only,
        disable trigger eventward_append_only_own;
      update public.events_subscription
      set transaction_id = case when aggregate_id::integer > 20 then '9000000000'
        else (pg_current_xact_id()::text::bigint + aggregate_id::integer)::text end::xid8;
      alter table public.events_subscription enable always trigger eventward_append_only,
        enable always trigger eventward_append_only_own`)
  })

  it('holds all of them', async () => {
    const out = new PassThrough()
    out.resume()
    const { events } = await exportEvents(db.database, [Subscription], { out })
    const { rows } = await db.admin.query('select count(*) as all from public.events')
    expect(events).toBe(rows[0]?.all)
  })

  it('holds those, too, whose id is that of a transaction at work here', async () => {
    const atWork = await db.client()
    const { rows: ids } = await atWork
      .query<{ id: string }>('begin; select pg_current_xact_id() as id')
      .then((results) => (results as unknown as readonly { rows: { id: string }[] }[])[1] ?? { rows: [] })
    await db.admin.query(`
      begin;
      alter table public.events_subscription disable trigger eventward_append_only,
        disable trigger eventward_append_only_own;
      update public.events_subscription set transaction_id = '${ids[0]?.id}' where aggregate_id = '7';
      alter table public.events_subscription enable always trigger eventward_append_only,
        enable always trigger eventward_append_only_own;
      commit`)
    const out = new PassThrough()
    out.resume()
    const { events } = await exportEvents(db.database, [Subscription], { out })
    await atWork.query('rollback')
    const { rows } = await db.admin.query('select count(*) as all from public.events')
    expect(events).toBe(rows[0]?.all)
  })
})
