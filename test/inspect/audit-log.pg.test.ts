import { beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import type { LoadedConfig } from '../../src/config/index.js'
import { connect } from '../../src/db/index.js'
import { type HistoryEntry, history, readHistory, show } from '../../src/inspect/index.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'

const config: LoadedConfig = {
  path: '/eventward.config.ts',
  connection: null,
  knexfile: null,
  schemas: ['public'],
  events: { schema: 'public', table: 'events' },
  aggregates: [Subscription],
  freshnessSeconds: 3_600,
  lockTimeoutMs: 400,
}

const EVENTS = 20_000

/** Appends events to row 12's stream; their versions go on from 3. */
const appendMany = `
  insert into public.events (aggregate_type, aggregate_id, version, type, schema_version, data, metadata, occurred_at)
  select 'Subscription', '12', v, 'Activated', 1, jsonb_build_object('stripe_key', 'sub_' || v),
    jsonb_build_object('source', 'command', 'command', 'Activate', 'user_id', v, 'causation', '38920', 'request', 'r' || v),
    timestamptz '2018-03-01' + v * interval '1 second'
  from generate_series(3, ${EVENTS}) v`

describe('the audit log', () => {
  const db = testDatabase()
  const input = { aggregate: 'Subscription', id: '12' }

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(insertSubscriptions)
    await backfill(db.database, Subscription)
    await db.admin.query(appendMany)
  })

  it('says who, why, when, what changed, and what was only worked out from the row', async () => {
    const { entries, lastVersion } = await history(db.database, config, input)
    expect(lastVersion).toBe(EVENTS)
    expect(entries.map(({ version }) => version)).toEqual(Array.from({ length: EVENTS }, (_, i) => i + 1))
    expect(entries[1]).toMatchObject({
      source: 'backfill',
      reconstructed: true,
      who: { actor: null, run: '1' },
    })
    expect(entries[2]).toMatchObject({
      source: 'command',
      reconstructed: false,
      inferred: false,
      who: { actor: '3', user: null },
      why: { command: 'Activate', causation: '38920', request: 'r3', correlation: null },
      occurredAt: '2018-03-01 00:00:03+00',
      recordedAt: expect.stringMatching(/^\d{4}-.*\+00$/),
      changed: [
        { column: 'stripe_key', before: 'sub_66123', after: 'sub_3' },
        { column: 'activated_at', before: '2018-02-01 00:00:00+00', after: '2018-03-01 00:00:03+00' },
      ],
      readAs: null,
    })
  })

  it('gives the latest of a long one with what they changed, and show agrees with it', async () => {
    const { entries } = await history(db.database, config, { ...input, last: 2 })
    expect(entries.map(({ version, changed }) => [version, changed[0]])).toEqual([
      [EVENTS - 1, { column: 'stripe_key', before: `sub_${EVENTS - 2}`, after: `sub_${EVENTS - 1}` }],
      [EVENTS, { column: 'stripe_key', before: `sub_${EVENTS - 1}`, after: `sub_${EVENTS}` }],
    ])
    const now = await show(db.database, config, { ...input, at: undefined })
    expect(now).toMatchObject({ version: EVENTS, row: { stripe_key: `sub_${EVENTS}` } })
    const early = await show(db.database, config, { ...input, at: '2018-03-01 00:00:03.5+00' })
    expect(early).toMatchObject({ version: 3, lastVersion: EVENTS, outOfOrder: [] })
    expect(await show(db.database, config, { ...input, at: '2' })).toMatchObject({
      version: 2,
      lastVersion: EVENTS,
    })
  })

  it('holds no snapshot while its reader takes time, and reads no further than it is heard', async () => {
    const database = await connect({ url: db.url, max: 1, applicationName: 'slow reader' })
    const seen: HistoryEntry[] = []
    const states: unknown[] = []
    try {
      await readHistory(database, config, input, {
        async entry(entry) {
          seen.push(entry)
          if (entry.version !== 100) return entry.version < 110
          const { rows } = await db.admin.query(
            `select state, backend_xmin, backend_xid from pg_stat_activity where application_name = 'slow reader'`,
          )
          states.push(...rows)
          return true
        },
      })
    } finally {
      await database.close()
    }
    expect(seen).toHaveLength(110)
    expect(states).toEqual([{ state: 'idle', backend_xmin: null, backend_xid: null }])
  })
})
