/** From which moment on what is written counts as new, for a verify that is about to read beside open transactions. */
import { beforeEach, describe, expect, it } from 'vitest'
import { partitionOf, verifiedMark } from '../../src/store/index.js'
import { forget, provenSubscriptions } from '../cutover/proven-table.js'
import { testDatabase } from '../support/database.js'

const EVENTS = { schema: 'public', table: 'events' }

describe('the mark of a verify', () => {
  const db = testDatabase()
  beforeEach(async () => {
    await forget(db)
    await provenSubscriptions(db, 10)
  })

  it('lies below what a transaction wrote that stays open and does not say since when', async () => {
    const writer = await db.client()
    await writer.query('set track_activities = off')
    await writer.query('begin; update public.subscriptions set user_id = user_id + 1 where id = 1')
    const { rows } = await writer.query<{ position: string }>(
      'select max(position) as position from public.events',
    )
    // Some time has passed since a later event.
    await db.admin.query(`
      insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at, recorded_at)
      select 'Subscription', '2', 1 + max(version), 'Changed', '{}', clock_timestamp(), clock_timestamp() - interval '2 seconds'
      from public.events
      where aggregate_type = 'Subscription' and aggregate_id = '2'`)
    const { horizon } = await db.database.session(async (session) => {
      const partition = await partitionOf(session, EVENTS, 'Subscription')
      if (partition === null) throw new Error('there is no partition')
      return verifiedMark(session, EVENTS, partition)
    })
    await writer.query('rollback')
    expect(Number(horizon)).toBeLessThan(Number(rows[0]?.position))
  })
})
