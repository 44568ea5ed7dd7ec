import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import {
  type AggregateDefinition,
  defineAggregate,
  defineTable,
  occurredAt,
} from '../../src/definition/index.js'
import { literal, literalOrNull } from '../../src/sql/index.js'
import { type VerifyEngine, verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 12)

/** Column -> SQL type and texts, canonical or not, that it takes. */
const COLUMNS: Readonly<Record<string, readonly [type: string, ...texts: (string | null)[]]>> = {
  n: ['numeric(10,2)', '1.10', '-0.00', '99999999.99', null],
  i: ['bigint', '9223372036854775807', '-1', '0'],
  b: ['boolean', 't', 'f', null],
  "it's": ['character varying(20)', '', 'a\tb\n\\N', 'null', 'é"\'\\'],
  c: ['character(4)', 'ab', null, 'abcd'],
  j: ['jsonb', 'null', '{"a": 1.0}', '[]', '"x"', null],
  s: ['json', '{"a":1, "a":2}', ' 1', null],
  d: ['double precision', '-0', 'NaN', '0.1', '1e300'],
  a: ['text[]', '{}', '{a,"b c",NULL}', '[0:1]={x,y}', null],
  span: ['interval', '30 days', '1 mon', null],
  created: ['timestamptz', '2020-01-01 00:00:00+00', '2021-06-30 12:00:00.5+00'],
  closed: ['timestamp', '2022-01-01 00:00:00', 'infinity', null],
  closed_on: ['date', '2022-01-01', '0044-03-15 BC', null],
}

type RowTexts = Readonly<Record<string, string | null>>

const rowTexts: fc.Arbitrary<RowTexts> = fc.record(
  Object.fromEntries(
    Object.entries(COLUMNS).map(([name, [, ...texts]]) => [name, fc.constantFrom(...texts)]),
  ),
)

/** A value as someone could leave it in an event: of any kind. */
const anyValue = fc.constantFrom(
  'null',
  'true',
  '1',
  '1.10',
  '"x"',
  '"{}"',
  '{"a": 1}',
  '[1]',
  '"2020-01-01"',
  '"-0"',
)

type Damage =
  | { readonly kind: 'member'; readonly row: number; readonly column: string; readonly value: string }
  | { readonly kind: 'row'; readonly row: number; readonly column: string; readonly pick: number }
  | {
      readonly kind: 'event' | 'type' | 'schema' | 'gone' | 'dead' | 'twice'
      readonly row: number
      readonly pick: number
    }

const column = fc.constantFrom(...Object.keys(COLUMNS))
const damage = (rows: number): fc.Arbitrary<Damage> => {
  const row = fc.integer({ min: 0, max: rows - 1 })
  const pick = fc.nat({ max: 5 })
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('member' as const), row, column, value: anyValue }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('row' as const), row, column, pick }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          'event' as const,
          'type' as const,
          'schema' as const,
          'gone' as const,
          'dead' as const,
          'twice' as const,
        ),
        row,
        pick,
      }),
    },
  )
}

const ROWS = 6

describe('the two engines', () => {
  const db = testDatabase()

  it('call the same backfilled table clean, and find the same in a damaged one', async () => {
    const definition = await makeTable()
    await fc.assert(
      fc.asyncProperty(
        fc.array(rowTexts, { minLength: ROWS, maxLength: ROWS }),
        fc.array(damage(ROWS), { minLength: 1, maxLength: 5 }),
        async (rows, damages) => {
          await empty()
          await db.admin.query(
            `insert into public.agree values ${rows.map((row, id) => `(${id}, ${texts(row)})`).join(', ')}`,
          )
          await backfill(db.database, definition)
          for (const engine of ['sql', 'replay'] as const) expect(await found(definition, engine)).toEqual([])

          for (const one of damages) await plant(one)
          const bySql = await found(definition, 'sql')
          expect(await found(definition, 'replay')).toEqual(bySql)
          // Only what was touched.
          const touched = new Set(damages.map(({ row }) => String(row)))
          expect(bySql.filter(({ key }) => !touched.has(key))).toEqual([])
        },
      ),
      { numRuns: RUNS },
    )
  })

  async function makeTable(): Promise<AggregateDefinition> {
    const declared = Object.entries(COLUMNS).map(([name, [type]]) => `"${name}" ${type}`)
    await db.admin.query(`create table public.agree (id integer primary key, ${declared.join(', ')})`)
    const table = defineTable<Record<string, never>>()({
      schema: 'public',
      name: 'agree',
      key: ['id'],
      columns: Object.fromEntries([
        ['id', { type: 'integer', nullable: false }],
        ...Object.entries(COLUMNS).map(([name, [type]]) => [name, { type, nullable: true }]),
      ]),
    } as never)
    return defineAggregate({
      name: 'Agree',
      table,
      timeZone: 'Europe/Berlin',
      events: {
        Created: { creates: true, data: { amount: 'n', i: 'b', b: 'i' }, set: { created: occurredAt } },
        Closed: { data: ['j'], set: { closed: occurredAt, closed_on: occurredAt } },
      },
    } as never) as unknown as AggregateDefinition
  }

  async function empty() {
    await asOwner('delete from public.events')
    await db.admin.query('truncate public.agree')
    await db.admin.query('delete from eventward.runs; delete from eventward.mismatches')
  }

  async function asOwner(statement: string) {
    await db.admin.query(`begin;
      do $$ begin if to_regclass('public.events_agree') is not null then
        alter table public.events_agree disable trigger eventward_append_only, disable trigger eventward_append_only_own;
      end if; end $$;
      ${statement};
      do $$ begin if to_regclass('public.events_agree') is not null then
        alter table public.events_agree enable always trigger eventward_append_only,
          enable always trigger eventward_append_only_own;
      end if; end $$;
      commit`)
  }

  async function plant(one: Damage) {
    const stream = `aggregate_id = '${one.row}'`
    const last = `(select max(version) from public.events where ${stream})`
    switch (one.kind) {
      case 'member':
        return asOwner(`update public.events set data = data || ${literal(`{${JSON.stringify(one.column)}: ${one.value}}`)}::jsonb
          where ${stream} and version = 1`)
      case 'row': {
        const [, ...values] = COLUMNS[one.column]!
        return db.admin.query(
          `update public.agree set "${one.column}" = ${literalOrNull(values[one.pick % values.length] ?? null)} where id = ${one.row}`,
        )
      }
      case 'event':
        return asOwner(`delete from public.events where ${stream} and version = ${1 + (one.pick % 3)}`)
      case 'type':
        return asOwner(
          `update public.events set type = 'Unknown' where ${stream} and version = ${1 + (one.pick % 3)}`,
        )
      case 'schema':
        return asOwner(
          `update public.events set schema_version = 2 where ${stream} and version = ${1 + (one.pick % 3)}`,
        )
      case 'gone':
        return db.admin.query(`delete from public.agree where id = ${one.row}`)
      case 'dead':
        return append(one, 'Deleted', last)
      case 'twice':
        return append(one, ['Created', 'Closed', 'Changed'][one.pick % 3]!, last)
    }
  }

  async function append({ row }: Damage, type: string, last: string) {
    await asOwner(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
      select 'Agree', '${row}', coalesce(${last}, 0) + 1, '${type}', '{"amount": 5, "j": {}}', '2023-01-01Z'`)
  }

  async function found(definition: AggregateDefinition, engine: VerifyEngine) {
    const { differences } = await verify(db.database, definition, { engine, chunkSize: 3, workers: 1 })
    return differences
  }
})

function texts(row: RowTexts): string {
  return Object.keys(COLUMNS)
    .map((name) => literalOrNull(row[name] ?? null))
    .join(', ')
}
