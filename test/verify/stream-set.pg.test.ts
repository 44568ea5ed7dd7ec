import { beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { captureOn } from '../../src/capture/index.js'
import { connect } from '../../src/db/index.js'
import { openStreamSet } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

describe('a set of streams', () => {
  const db = testDatabase()
  beforeAll(async () => {
    await db.admin.query(createSubscriptions + manySubscriptions(1, 10))
    await captureOn(db.database, Subscription)
    await backfill(db.database, Subscription)
  })

  const check = (ids: readonly string[]) =>
    db.database.session(async (session) => {
      const set = await openStreamSet(session, Subscription)
      return set.check(session, ids)
    })

  it('is folded in the order of versions, however long a stream is', async () => {
    await db.admin.query(`do $$ begin
      for i in 1..2000 loop
        update public.subscriptions set payment_source_key = i || repeat(md5(i::text), 20) where id = 1;
      end loop; end $$`)
    // A sort of one stream would not fit into memory any more.
    await db.admin.query(`alter database ${db.name} set work_mem = '64kB'`)
    const small = await connect({ url: db.url })
    try {
      const checked = await small.session(async (session) => {
        const set = await openStreamSet(session, Subscription)
        return set.check(session, ['1'])
      })
      expect(checked).toMatchObject({ streams: 1, rows: 1, found: [] })
      expect(checked.events).toBeGreaterThan(2_000)
    } finally {
      await small.close()
    }
  })

  it('tells each kind of difference, whichever of stream and row is there', async () => {
    await db.admin.query(`
      alter table public.subscriptions disable trigger "~eventward_before";
      alter table public.subscriptions disable trigger "!eventward_after_insert";
      update public.subscriptions set user_id = -1 where id = 2;
      delete from public.subscriptions where id = 3;
      insert into public.subscriptions select 60, 1, 1, null, 'unpaid', null, now();
      alter table public.subscriptions enable always trigger "~eventward_before";
      alter table public.subscriptions enable always trigger "!eventward_after_insert";
      delete from public.subscriptions where id = 4`)
    const { found, streams, rows } = await check(['2', '3', '4', '5', '60', '99'])
    expect(found).toEqual([
      { key: '2', kind: 'row_differs' },
      { key: '3', kind: 'missing_row' },
      { key: '60', kind: 'missing_stream' },
    ])
    expect({ streams, rows }).toEqual({ streams: 4, rows: 3 })
  })

  it('names the stream that can not be read, and looks at the others all the same', async () => {
    await db.admin.query(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
      select 'Subscription', '5', 1 + max(version), 'Changed', '{"user_id": "seven"}', now() from public.events where aggregate_id = '5'`)
    const { found } = await check(['2', '5', '6', 'no number'])
    expect(found).toMatchObject([
      { key: '2', kind: 'row_differs' },
      { key: '5', kind: 'unreadable', message: expect.stringContaining('seven') },
      { key: 'no number', kind: 'unreadable' },
    ])
  })
})
