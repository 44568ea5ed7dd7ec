import { describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { openBackfill } from '../../src/backfill/open-backfill.js'
import { planChunks } from '../../src/backfill/plan-chunks.js'
import { type AggregateDefinition, defineAggregate, defineTable } from '../../src/definition/index.js'
import { testDatabase } from '../support/database.js'

interface Case {
  readonly name: string
  readonly columns: Readonly<Record<string, string>>
  readonly key: readonly string[]
  /** SQL of the rows. */
  readonly rows: string
  readonly table?: string
}

const CASES: readonly Case[] = [
  {
    name: 'by_text',
    columns: { k: 'text', v: 'integer' },
    key: ['k'],
    // In the order of ICU these stand otherwise than in that of bytes.
    rows: `select (array['a', 'B', 'ä', 'Z', '-', '"', '\\', ''])[1 + i % 8] || i, i from generate_series(1, 500) i`,
  },
  {
    name: 'by_two',
    columns: { a: 'text', b: 'integer', v: 'integer' },
    key: ['a', 'b'],
    rows: `select chr(65 + i % 7), i, i from generate_series(1, 500) i`,
  },
  {
    name: 'by_uuid',
    columns: { k: 'uuid', v: 'integer' },
    key: ['k'],
    rows: `select md5(i::text)::uuid, i from generate_series(1, 500) i`,
  },
  {
    name: 'by_numeric',
    columns: { k: 'numeric', v: 'integer' },
    key: ['k'],
    rows: `select case when i % 2 = 0 then i::numeric else -i / 3.0 end, i from generate_series(1, 498) i
      union all select 'NaN', 0 union all select 'Infinity', 1`,
  },
  {
    name: 'by_time',
    columns: { k: 'timestamp with time zone', v: 'integer' },
    key: ['k'],
    rows: `select '2020-01-01'::timestamptz + i * interval '1 second', i from generate_series(1, 498) i
      union all select 'infinity', 0 union all select '0044-03-15 00:00:00+00 BC', 1`,
  },
  {
    name: 'in_parts',
    columns: { k: 'bigint', v: 'integer' },
    key: ['k'],
    rows: `select i, i from generate_series(1, 500) i`,
    table: `create table public.in_parts (k bigint primary key, v integer) partition by hash (k);
      create table public.in_parts_0 partition of public.in_parts for values with (modulus 2, remainder 0);
      create table public.in_parts_1 partition of public.in_parts for values with (modulus 2, remainder 1)`,
  },
]

/** `Made` carries all columns but the key. */
function definitionOf({ name, columns, key }: Case): AggregateDefinition {
  const described = Object.entries(columns).map(
    ([column, type]) => [column, { type, nullable: !key.includes(column) }] as const,
  )
  // The types of the rows are of no matter here.
  const table = defineTable<Record<string, unknown>>()({
    schema: 'public',
    name,
    key: key as never,
    columns: Object.fromEntries(described) as never,
  })
  return defineAggregate({
    name: `A_${name}`,
    table,
    events: {
      Made: { creates: true, data: Object.keys(columns).filter((column) => !key.includes(column)) as never },
    },
  } as never) as AggregateDefinition
}

describe('a table is walked in the order of its key', () => {
  const db = testDatabase()

  it.each(CASES)('$name: each row once, in chunks that neither overlap nor leave a gap', async (given) => {
    const columns = Object.entries(given.columns).map(([column, type]) => `"${column}" ${type}`)
    await db.admin.query(
      given.table ??
        `create table public.${given.name} (${columns.join(', ')}, primary key (${given.key.join(', ')}))`,
    )
    await db.admin.query(`insert into public.${given.name} ${given.rows}`)
    const dry = await backfill(db.database, definitionOf(given), { chunkRows: 37, dryRun: true })
    expect(dry).toMatchObject({ rows: '500', streams: '500', events: '500', alreadyThere: '0' })
    const result = await backfill(db.database, definitionOf(given), { chunkRows: 37, workers: 2 })
    // Rows: had chunks overlapped, one would have been read twice.
    expect(result).toMatchObject({ rows: '500', streams: '500', alreadyThere: '0', complete: true })
    const { rows } = await db.admin.query(
      `select count(*) as n, sum(rows) as rows from eventward.chunks where run_id = $1`,
      [result.run],
    )
    expect(rows).toEqual([{ n: '14', rows: '500' }])
  })

  it('a planner that was killed is gone on from where its chunks end', async () => {
    await db.admin.query('create table public.planned (k bigint primary key, v integer)')
    await db.admin.query('insert into public.planned select i, i from generate_series(1, 1000) i')
    const planned = definitionOf({
      name: 'planned',
      columns: { k: 'bigint', v: 'integer' },
      key: ['k'],
      rows: '',
    })
    const job = await openBackfill(db.database, planned, { chunkRows: 5 })
    // One batch, and then no more: 200 chunks are more than one.
    await db.database.session((session) => planChunks(session, job))
    const frontier = async () => {
      const { rows } = await db.admin.query<{ part: string; state: string }>(
        `select state, (planned_to ->> 0)::bigint < (upper_key ->> 0)::bigint as part from eventward.runs where id = $1`,
        [job.run.id],
      )
      return rows[0]
    }
    expect(await frontier()).toEqual({ state: 'planning', part: 't' })
    const result = await backfill(db.database, planned, { chunkRows: 5 })
    expect(result).toMatchObject({ rows: '1000', streams: '1000', run: job.run.id, resumed: true })
    const { rows } = await db.admin.query(
      `select count(*) as chunks, count(*) filter (where lo is distinct from before) as torn
       from (select lo, lag(hi) over (order by n) as before from eventward.chunks where run_id = $1) c`,
      [job.run.id],
    )
    expect(rows).toEqual([{ chunks: '200', torn: '0' }])
    expect(await frontier()).toEqual({ state: 'complete', part: 'f' })
  })
})
