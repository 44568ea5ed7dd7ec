/** What is written after the last full verify is verified again before the flip: without a lock, and the rest under it. */
import type pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { advance } from '../../src/cutover/index.js'
import type { Database } from '../../src/db/index.js'
import { marker } from '../../src/store/index.js'
import { openStreamSet } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { interpose } from '../support/interpose.js'
import { until } from '../support/race.js'
import { Subscription } from '../support/subscription.js'
import { youngestTransaction } from '../support/youngest.js'
import { forget, phaseOf, provenSubscriptions } from './proven-table.js'

/** An event that no row explains: only the delta can find it, since no row and no trigger was touched. */
const STRAY = `
  insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
  select 'Subscription', '3', 1 + max(version), 'Changed', '{"user_id": 99}', clock_timestamp()
  from public.events where aggregate_type = 'Subscription' and aggregate_id = '3'`

describe('advance', () => {
  const db = testDatabase()
  beforeEach(async () => {
    await forget(db)
    await provenSubscriptions(db, 10)
  })

  const mismatches = async () => {
    const { rows } = await db.admin.query(
      'select key, kind from eventward.mismatches where resolved_at is null order by key',
    )
    return rows
  }

  async function refusesFor(
    differences: readonly { readonly key: string; readonly kind: string }[],
    database: Database = db.database,
  ) {
    const result = await advance(database, Subscription)
    expect(result).toMatchObject({ ok: false, from: 'dual_write', to: 'dual_write', lockedMs: null })
    expect(result.differences.map(({ key, kind }) => ({ key, kind }))).toEqual(differences)
    expect(await mismatches()).toEqual(differences)
    expect(await phaseOf(db)).toBe('dual_write')
    // The gate stays closed until it is gone.
    const again = await advance(db.database, Subscription)
    expect(again.gate.filter(({ ok }) => !ok).map(({ name }) => name)).toContain('differences')
  }

  it('refuses where a stream that was written to since does not fold to its row', async () => {
    await db.admin.query(STRAY)
    await refusesFor([{ key: '3', kind: 'row_differs' }])
  })

  it('refuses where a stream that was written to since has lost its row', async () => {
    await db.admin.query(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
      values ('Subscription', '77', 1, 'Created', '{}', clock_timestamp())`)
    await refusesFor([{ key: '77', kind: 'missing_row' }])
  })

  it('refuses where what was written since can not be read, and names the stream', async () => {
    await db.admin.query(STRAY.replace('99', '"seven"').replace("'3'", "'4'").replace("'3'", "'4'"))
    await db.admin.query('update public.subscriptions set user_id = 5 where id = 5')
    await refusesFor([{ key: '4', kind: 'unreadable' }])
  })

  it('finds under the lock what came after the last look without it', async () => {
    let locks = 0
    const late = interpose(db.database, async (text) => {
      if (!text.includes('share row exclusive')) return
      locks += 1
      // The first one is the rehearsal's.
      if (locks === 2) await db.admin.query(STRAY)
    })
    await refusesFor([{ key: '3', kind: 'row_differs' }], late)
    expect(locks).toBe(2)
  })

  it('goes on where all that was written since is explained: updates, removals, keys that moved and came back', async () => {
    await db.admin.query(`
      update public.subscriptions set user_id = user_id + 1 where id in (1, 2);
      delete from public.subscriptions where id = 4;
      update public.subscriptions set id = 40 where id = 5;
      insert into public.subscriptions select 4, 1, 1, null, 'unpaid', null, now();
      insert into public.subscriptions select 50, 1, 1, null, 'unpaid', null, now()`)
    expect(await advance(db.database, Subscription)).toMatchObject({
      ok: true,
      to: 'event_first',
      reverified: { streams: 6 },
    })
  })
})

describe('a mark', () => {
  const db = testDatabase()
  const [EARLY, LATE] = ['1', '2']
  beforeEach(async () => {
    await forget(db)
    await provenSubscriptions(db, 10)
  })

  const touch = (client: pg.Client, id: string | undefined) =>
    client.query(`update public.subscriptions set user_id = user_id + 1 where id = ${id}`)

  it('misses no event of a transaction that drew its position early and commits late', async () => {
    const events = { schema: 'public', table: 'events' }
    const set = await db.database.session((session) => openStreamSet(session, Subscription))
    const take = marker(events)
    const slow = await db.client()
    await slow.query('begin')
    await touch(slow, EARLY) // draws its position
    await touch(db.admin, LATE) // draws a greater one, and commits
    const mark = await db.database.session(take)
    const { rows } = await db.admin.query<{ greatest: string }>(
      'select max(position) as greatest from public.events',
    )
    await slow.query('commit')

    const since = (horizon: string) =>
      db.database.session(async (session) => {
        const to = await take(session)
        return (await set.touched(session, { from: { ...mark, horizon }, to, after: '0' }))?.ids ?? []
      })
    expect(
      await since(rows[0]?.greatest ?? ''),
      'by the greatest position that was seen (the naive form)',
    ).toEqual([])
    expect(await since(mark.horizon)).toEqual([EARLY])
    // With no one at work the horizon catches up: no one on the whole server, where other tests are.
    await until(async () => (await db.database.session(take)).horizon === rows[0]?.greatest, {
      what: 'the horizon to catch up',
    })
  })

  it('misses no event of the youngest transaction, at whose id a snapshot ends', async () => {
    const take = marker({ schema: 'public', table: 'events' })
    const young = await youngestTransaction(
      db,
      `update public.subscriptions set user_id = user_id + 1 where id = ${EARLY}`,
    )
    const { rows } = await young.query<{ position: string }>(
      'select max(position) as position from public.events',
    )
    await db.database.session(take)
    // Whoever ends now has a greater id: the next snapshot begins at the one that is open.
    await touch(db.admin, LATE)
    const { horizon } = await db.database.session(take)
    await young.query('commit')
    expect(Number(horizon)).toBeLessThan(Number(rows[0]?.position))
  })
})
