import { beforeAll, describe, expect, it } from 'vitest'
import { bindAggregate } from '../../src/bind/index.js'
import type { Session } from '../../src/db/index.js'
import type { AggregateDefinition } from '../../src/definition/index.js'
import {
  compileBoundary,
  compileDryRun,
  compileGreatestKey,
  compileSlice,
  sql,
  typedKey,
} from '../../src/sql/index.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'

const EVENTS = { schema: 'public', table: 'events' }
const whole = {
  after: null,
  upTo: null,
  limit: 1_000,
  metadata: '{"source":"backfill"}',
  runStartedAt: '2020-01-01',
}

describe('compileSlice', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(createSubscriptions + insertSubscriptions)
    await db.admin.query(`select eventward.create_partition('Subscription', 'events_subscription')`)
    await db.admin.query(`create table public.pairs (a int, b text, v numeric, primary key (b, a))`)
    await db.admin.query(
      `insert into public.pairs select g, 'k' || g % 3, g / 4.0 from generate_series(1, 10) g`,
    )
    await db.admin.query(`select eventward.create_partition('Pair', 'events_pair')`)
  })

  const inputOf = async (session: Session, definition: AggregateDefinition) => {
    const { model, table } = await bindAggregate(session, definition)
    return { ...whole, model, key: typedKey(model, table.key?.columns ?? []), events: EVENTS }
  }

  const stored = (session: Session, type: string) =>
    session.rows(sql`
      select aggregate_id, version, type, data::text as data, metadata::text as metadata, occurred_at
      from public.events
      where aggregate_type = ${type}
      order by position`)

  it('counts first what it then writes: the rows of the slide, exact to the value', async () => {
    await db.database.session(async (session) => {
      const input = await inputOf(session, Subscription)
      const counts = { rows: '2', streams: '2', events: '6', last: '["13"]' }
      expect(await session.one(compileDryRun(input))).toEqual(counts)
      expect(await session.one(compileSlice(input))).toEqual(counts)
      const told = '{"source": "backfill"}'
      expect(await stored(session, 'Subscription')).toEqual(
        [
          [
            '12',
            '1',
            'Created',
            '{"user_id": 123, "reward_id": 234, "payment_source_key": "pm_1"}',
            told,
            '2018-02-01 00:00:00+00',
          ],
          [
            '13',
            '1',
            'Created',
            '{"user_id": 345, "reward_id": 234, "payment_source_key": "pm_2"}',
            told,
            '2018-02-02 00:00:00+00',
          ],
          ['12', '2', 'Activated', '{"stripe_key": "sub_66123"}', told, '2018-02-01 00:00:00+00'],
          ['13', '2', 'Activated', '{"stripe_key": "sub_66134"}', told, '2018-02-02 00:00:00+00'],
          ['13', '3', 'Deactivated', '{}', told, '2018-04-06 00:00:00+00'],
          [
            '13',
            '4',
            'Changed',
            '{"status": "unpaid"}',
            '{"source": "backfill", "inferred": true}',
            '2018-02-02 00:00:00+00',
          ],
        ].map(([aggregate_id, version, type, data, metadata, occurred_at]) => ({
          aggregate_id,
          version,
          type,
          data,
          metadata,
          occurred_at,
        })),
      )
    })
  })

  it('adds nothing to streams that are there, and counts none', async () => {
    await db.database.session(async (session) => {
      const input = await inputOf(session, Subscription)
      const nothing = { rows: '2', streams: '0', events: '0', last: '["13"]' }
      expect(await session.one(compileSlice(input))).toEqual(nothing)
      expect(await session.one(compileDryRun(input))).toEqual(nothing)
      expect(await stored(session, 'Subscription')).toHaveLength(6)
    })
  })

  it('writes whole streams only: beside one that is there, all events of the others', async () => {
    await db.admin.query(`
      insert into public.subscriptions (id, user_id, reward_id, status, stripe_key, created_at, activated_at)
      select id, 1, 2, 'active', 'sub', '2020-01-01', '2020-01-02' from generate_series(20, 22) id;
      insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
      values ('Subscription', '21', 1, 'Created', '{"user_id": 7}', '2019-01-01')`)
    await db.database.session(async (session) => {
      const input = await inputOf(session, Subscription)
      const counts = { rows: '3', streams: '2', events: '4', last: '["22"]' }
      const rest = { ...input, after: ['13'] }
      expect(await session.one(compileDryRun(rest))).toEqual(counts)
      expect(await session.one(compileSlice(rest))).toEqual(counts)
      const ids = (await stored(session, 'Subscription')).map(
        (event) => `${event['aggregate_id']} v${event['version']}`,
      )
      expect(ids.slice(6)).toEqual(['21 v1', '20 v1', '22 v1', '20 v2', '22 v2'])
    })
  })

  it('goes through a composite key in its index order, slice by slice, each row once', async () => {
    await db.database.session(async (session) => {
      const input = await inputOf(session, PAIR)
      const { greatest } = await session.one(compileGreatestKey(input.model, input.key))
      expect(greatest).toBe('["k2","8"]')
      const upTo = ['k2', '5']
      let after: readonly string[] | null = null
      const seen: (string | null | undefined)[] = []
      for (;;) {
        const { boundary } =
          (await session.rows(compileBoundary(input.model, input.key, { after, upTo, size: 2 })))[0] ?? {}
        const { last }: { last?: string | null } = await session.one(
          compileSlice({ ...input, after, upTo, limit: 2 }),
        )
        if (last === null || last === undefined) break
        if (boundary !== undefined) expect(last).toBe(boundary)
        seen.push(last)
        after = JSON.parse(last) as string[]
      }
      expect(seen).toEqual(['["k0","6"]', '["k1","1"]', '["k1","7"]', '["k2","2"]', '["k2","5"]'])
      const ids = (await stored(session, 'Pair')).map((event) => event['aggregate_id'])
      expect(new Set(ids).size).toBe(9)
      expect(ids).toContain('["k0","3"]')
    })
  })

  it('reads a composite range through the index, both borders included', async () => {
    await db.database.session(async (session) => {
      const input = await inputOf(session, PAIR)
      const query = compileSlice({ ...input, after: ['k0', '3'], upTo: ['k0', '9'], limit: 1 })
      const rows = await session.rows({ text: `explain ${query.text}`, values: query.values })
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
      expect(plan).toMatch(/Index Cond: \(\(ROW\(.*ROW\(/)
    })
  })
})

const PAIR: AggregateDefinition = {
  name: 'Pair',
  table: {
    schema: 'public',
    name: 'pairs',
    key: ['b', 'a'],
    columns: {
      a: { type: 'integer', nullable: false },
      b: { type: 'text', nullable: false },
      v: { type: 'numeric', nullable: true },
    },
  },
  events: [
    {
      type: 'Created',
      schemaVersion: 1,
      creates: true,
      data: [{ attribute: 'v', column: 'v' }],
      facts: [],
      set: [],
      when: null,
    },
  ],
  updatedAt: null,
  timeZone: 'UTC',
  directWrites: 'capture',
  residue: { changed: 'Changed', deleted: 'Deleted' },
}
