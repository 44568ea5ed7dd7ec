import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { bindAggregate } from '../../src/bind/index.js'
import type { Session } from '../../src/db/index.js'
import {
  type AggregateDefinition,
  type BoundModel,
  defineAggregate,
  defineTable,
  type Upcast,
  type UpcastStep,
} from '../../src/definition/index.js'
import { eventsWithCode, foldStream, type StoredEvent } from '../../src/fold/index.js'
import { STREAM_SQL } from '../../src/sql/compile-fold.js'
import { compileFoldStreams, raw, sql } from '../../src/sql/index.js'
import { testDatabase } from '../support/database.js'

/** `FUZZ_RUNS=1000 npx vitest run test/laws/upcast.pg.test.ts` looks further. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? '40')
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
/** Streams of one model. */
const STREAMS = 25

const table = defineTable<{ id: string; a: string; b: string; c: string; d: boolean; "q'uote": string }>()({
  schema: 'public',
  name: 'lifted',
  key: ['id'],
  columns: {
    id: { type: 'bigint', nullable: false },
    a: { type: 'text', nullable: true },
    b: { type: 'numeric', nullable: true },
    c: { type: 'jsonb', nullable: true },
    d: { type: 'boolean', nullable: true },
    "q'uote": { type: 'text', nullable: true },
  },
})

const NAMES = ['a', 'b', 'c', 'd', 'x', 'y', 'z', "q'uote", 'q"x', 'back\\slash', 'fact', 'gone']
const name = fc.constantFrom(...NAMES)

const definition = defineAggregate({
  name: 'Lifted',
  table,
  events: {
    Created: { creates: true, data: ['a', 'b'] },
    Changes: { data: { x: 'a', y: 'b', z: 'c' }, set: { d: true } },
    Told: { data: ['d', "q'uote"], facts: { fact: anything() } },
  },
  residue: { changed: 'Changed', deleted: 'Deleted' },
})

const step: fc.Arbitrary<UpcastStep> = fc.oneof(
  fc.record({ op: fc.constant('drop' as const), attribute: name }),
  fc.record({ op: fc.constant('rename' as const), from: name, to: name }),
  fc.record({
    op: fc.constant('add' as const),
    attribute: name,
    value: fc.constantFrom('new', "o'clock", 12, 1.5, 10n ** 30n, true, null, ''),
  }),
)
const steps = fc.array(step, { maxLength: 5 })
const present = fc.constantFrom('Created', 'Changes', 'Told').map((type) => ({ type, schemaVersion: 1 }))

/** Chains (Old@1 -> Old@2 -> what there is), and splits. */
const upcasts: fc.Arbitrary<readonly Upcast[]> = fc
  .tuple(
    steps,
    fc.array(fc.record({ to: present, steps }), { minLength: 1, maxLength: 3 }),
    fc.array(fc.record({ to: present, steps }), { minLength: 1, maxLength: 2 }),
  )
  .map(([first, second, other]) => [
    { type: 'Old', schemaVersion: 1, into: [{ type: 'Old', schemaVersion: 2, steps: first }] },
    { type: 'Old', schemaVersion: 2, into: second.map(({ to, steps: own }) => ({ ...to, steps: own })) },
    { type: 'Began', schemaVersion: 1, into: other.map(({ to, steps: own }) => ({ ...to, steps: own })) },
  ])

const VALUES = [
  'null',
  'true',
  'false',
  '12',
  '0.10',
  '-98765432109876543210.5',
  '"text"',
  '"12.0"',
  '"it\'s"',
  '{"n": 1.0}',
  '[1, 2]',
  '""',
]
const data = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.dictionary(name, fc.constantFrom(...VALUES), { maxKeys: 7 }).map(
      (members) =>
        `{${Object.entries(members)
          .map(([key, value]) => `${JSON.stringify(key)}: ${value}`)
          .join(', ')}}`,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('[1, 2]', '"a"', '7', 'null', '{"$residue": {"a": "r"}, "x": "1"}'),
  },
)
const event = fc.record({
  version: fc.constantFrom(
    { type: 'Old', schemaVersion: 1 },
    { type: 'Old', schemaVersion: 2 },
    { type: 'Began', schemaVersion: 1 },
    { type: 'Changes', schemaVersion: 1 },
    { type: 'Told', schemaVersion: 1 },
    { type: 'Deleted', schemaVersion: 1 },
    { type: 'Stranger', schemaVersion: 1 },
  ),
  data,
})
const stream = fc
  .tuple(
    fc.record({ version: fc.constant({ type: 'Created', schemaVersion: 1 }), data }),
    fc.array(event, { maxLength: 5 }),
  )
  .map(([first, others]) => [first, ...others])
const streams = fc.array(stream, { minLength: STREAMS, maxLength: STREAMS })

describe('events that declared upcasts lead on', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(
      `create table public.lifted (id bigint primary key, a text, b numeric, c jsonb, d boolean, "q'uote" text)`,
    )
    await db.admin.query("select eventward.create_partition('Lifted', 'events_lifted')")
  })

  it(`are folded alike in both languages, chains and splits (FUZZ_SEED=${SEED})`, async () => {
    let lifted = 0
    const property = fc.asyncProperty(upcasts, streams, async (some, all) => {
      const found = await db.database.session((session) =>
        compare(session, { ...definition, upcasts: some }, all),
      )
      lifted += all.flat().filter(({ version }) => version.type === 'Old' || version.type === 'Began').length
      expect(found).toEqual([])
    })
    await fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: true })
    expect(lifted).toBeGreaterThan((RUNS * STREAMS) / 2)
  }, 300_000)

  it('are seen to differ where one language forgets a step', async () => {
    const forgetful = (model: BoundModel): BoundModel => ({
      ...model,
      upcasts: (model.upcasts ?? []).map((upcast) =>
        typeof upcast.into === 'function'
          ? upcast
          : { ...upcast, into: upcast.into.map((target) => ({ ...target, steps: target.steps.slice(1) })) },
      ),
    })
    for (const [some, all] of fc.sample(fc.tuple(upcasts, streams), { numRuns: 20, seed: 4711 })) {
      const found = await db.database.session((session) =>
        compare(session, { ...definition, upcasts: some }, all, forgetful),
      )
      if (found.length > 0) return
    }
    expect.unreachable('nothing differed')
  }, 120_000)

  type Stream = readonly {
    readonly version: { readonly type: string; readonly schemaVersion: number }
    readonly data: string
  }[]

  async function compare(
    session: Session,
    some: AggregateDefinition,
    all: readonly Stream[],
    mutant: (model: BoundModel) => BoundModel = (model) => model,
  ): Promise<readonly string[]> {
    const { model } = await bindAggregate(session, some)
    expect(eventsWithCode(model)).toEqual([])
    await store(all)
    const streamsOf = compileFoldStreams(mutant(model), { schema: 'public', table: 'events' }, sql`true`)
    const folded = await session.rows<{ id: string; alive: string; row: string }>(sql`
      select f.aggregate_id as id, ${raw(STREAM_SQL.isAlive)} as alive,
        (select coalesce(json_object_agg(m.key, m.value), '{}') from jsonb_each_text(f.folded) m) as row
      from (${streamsOf}) f
      order by f.aggregate_id::int`)
    const stored = await session.rows<Record<'id' | 'version' | 'type' | 'schema' | 'data', string>>(sql`
      select aggregate_id as id, version, type, schema_version as schema, data from public.events
      where aggregate_type = 'Lifted' order by aggregate_id::int, version`)
    return folded.flatMap(({ id, alive, row }): readonly string[] => {
      const mine = stored.filter((one) => one.id === id).map(eventOf)
      const bySql = alive === 't' ? (JSON.parse(row) as Readonly<Record<string, string | null>>) : null
      const { row: byReplay } = foldStream(model, mine)
      const text = (side: Readonly<Record<string, string | null>> | null) =>
        JSON.stringify(
          side === null ? null : ['a', 'b', 'c', 'd', "q'uote"].map((column) => shown(side[column] ?? null)),
        )
      return text(bySql) === text(byReplay)
        ? []
        : [`${id}: SQL ${text(bySql)}, TypeScript ${text(byReplay)} of ${JSON.stringify(mine)}`]
    })
  }

  const shown = (value: string | null) => (value === 't' ? 'true' : value === 'f' ? 'false' : value)

  const eventOf = (row: Record<'id' | 'version' | 'type' | 'schema' | 'data', string>): StoredEvent => ({
    aggregateId: row.id,
    version: Number(row.version),
    type: row.type,
    schemaVersion: Number(row.schema),
    data: row.data,
    occurredAt: '2020-01-01 00:00:00+00',
    localTime: null,
  })

  async function store(all: readonly Stream[]): Promise<void> {
    await db.admin.query('drop table public.events_lifted')
    await db.admin.query("select eventward.create_partition('Lifted', 'events_lifted')")
    const events = all.flatMap((one, id) =>
      one.map((each, at) => ({ ...each, id: String(id), version: at + 1, stored: each.version })),
    )
    await db.admin.query(
      `insert into public.events (aggregate_type, aggregate_id, version, type, schema_version, data, occurred_at)
       select 'Lifted', i, v, t, s, d, '2020-01-01Z' from unnest($1::text[], $2::int[], $3::text[], $4::int[], $5::jsonb[]) u(i, v, t, s, d)`,
      [
        events.map(({ id }) => id),
        events.map(({ version }) => version),
        events.map(({ stored }) => stored.type),
        events.map(({ stored }) => stored.schemaVersion),
        events.map((each) => each.data),
      ],
    )
  }
})

function anything() {
  return { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const
}
