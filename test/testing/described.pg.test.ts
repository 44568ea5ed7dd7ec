/** What the kit makes of a table's description is what the catalog and the server say. */
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { describedTable } from '../../src/bind/described-table.js'
import {
  bindAggregate,
  bindDescribed,
  boundColumns,
  canonicalTexts,
  describeTable,
} from '../../src/bind/index.js'
import { type CatalogTable, readTable } from '../../src/catalog/index.js'
import type { Constant } from '../../src/definition/index.js'
import { describedTexts } from '../../src/testing/canonical-text.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { createRewards, Reward } from './reward.js'

const VALUES: Readonly<Record<string, readonly Constant[]>> = {
  smallint: [0, -5, '+7', '007', 32767, 32768],
  bigint: [9007199254740993n, '-9223372036854775808', '9223372036854775808'],
  numeric: ['1.10', '.5', '-0', '1e3', '1.50e1', '15e-3', 'nan', '-Infinity', '0012.0', '1.', 7, '-.0'],
  'numeric(6,2)': [1, '1.5', '1.005', '-9999.99', '10000', '1e2', '0.000', 'NaN'],
  'double precision': [0.1, 1e15, 123456789012345, 1e-5, 1e-4, '-0', 'inf', 1.5e300, 100000, 1 / 3],
  real: [0.1, 1e6, 123456, 1e-5, 16777217, 0.3333333333],
  boolean: [true, false],
  text: ['', ' a ', 'é'],
  'character varying(3)': ['abc', 'abcd', 'éü'],
  'character(3)': ['a', 'abc', 'abcd', 'ab   '],
  uuid: ['A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{a0eebc999c0b4ef8bb6d6bb9bd380a11}', 'a0'],
  'timestamp with time zone': [
    '2018-02-01',
    '2018-02-01T10:00Z',
    '2018-02-28 23:30:00.120-05',
    '2018-01-01 00:30:00+05:45',
    '2018-02-30',
    'infinity',
    '2018-02-01 10:00:00.123456',
  ],
  'timestamp(3) with time zone': ['2018-02-01 10:00:00.120', '2018-02-01 10:00:00.1234'],
  'timestamp without time zone': ['2018-02-01 10:00:00+05', '2018-02-01', '2018-13-01'],
  date: ['2018-02-01', '2018-02-01 10:00', '-infinity'],
  jsonb: ['{"b":1,"aa":[1.50,1e2,"x\\u00e9"],"a":null}', ' [] ', '{', 'true', '"a"'],
  json: ['{"b":1, "a":2}'],
}

describe('a value without a server', () => {
  const db = testDatabase()
  let table: CatalogTable | null = null
  const types = Object.keys(VALUES)
  beforeAll(async () => {
    const columns = types.map((type, index) => `c${index} ${type}`)
    await db.admin.query(`create table public.samples (id int primary key, ${columns.join(', ')})`)
    table = await db.database.session((session) => readTable(session, 'public', 'samples'))
  })

  it.each(types)('of type %s has the text that the server writes, or is refused as there', async (type) => {
    const column = table?.columns.find(({ name }) => name === `c${types.indexOf(type)}`)
    if (column === undefined) throw new RangeError(type)
    for (const value of VALUES[type] ?? []) {
      const requests = [{ column, value, where: type }]
      const theirs = await db.database
        .session((session) => canonicalTexts(session, requests))
        .catch((error: { code: string }) => error.code)
      const ours = (() => {
        try {
          return describedTexts(requests)
        } catch (error) {
          return (error as { code: string }).code
        }
      })()
      expect([value, ours]).toEqual([value, theirs])
    }
  })
})

/** Values at random, as someone could write them. */
const ARBITRARY: Readonly<Record<string, fc.Arbitrary<Constant>>> = {
  numeric: fc
    .tuple(
      fc.constantFrom('', '-', '+'),
      fc.bigInt({ min: 0n }),
      fc.stringMatching(/^(\.\d{0,9})?(e[-+]?\d)?$/),
    )
    .map(([sign, whole, rest]) => `${sign}${whole}${rest}`),
  'double precision': fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc
      .tuple(fc.integer({ min: -999, max: 999 }), fc.integer({ min: -40, max: 40 }))
      .map(([m, e]) => `${m}e${e}`),
  ),
  real: fc.oneof(
    fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc
      .tuple(fc.integer({ min: -999, max: 999 }), fc.integer({ min: -12, max: 12 }))
      .map(([m, e]) => `${m}e${e}`),
  ),
  'timestamp with time zone': fc
    .tuple(
      fc.date({
        min: new Date('1000-01-02T00:00:00Z'),
        max: new Date('9999-01-01T00:00:00Z'),
        noInvalidDate: true,
      }),
      fc.constantFrom('Z', '+05:45', '-0330', '+14'),
    )
    .map(([date, zone]) => date.toISOString().replace('Z', zone)),
  jsonb: fc
    .json({ stringUnit: 'grapheme' })
    .filter((text) => !/\\u0000|\\u[dD]|"__proto__"/.test(text) && !hasLoneSurrogate(text)),
}

function hasLoneSurrogate(text: string): boolean {
  return /\p{Cs}/u.test(text)
}

describe('any value without a server', () => {
  const db = testDatabase()
  let table: CatalogTable | null = null
  const types = Object.keys(ARBITRARY)
  beforeAll(async () => {
    await db.admin.query(
      `create table public.anything (id int primary key, ${types.map((type, index) => `c${index} ${type}`).join(', ')})`,
    )
    table = await db.database.session((session) => readTable(session, 'public', 'anything'))
  })

  it.each(types)('of type %s has the text that the server writes', async (type) => {
    const column = table?.columns.find(({ name }) => name === `c${types.indexOf(type)}`)
    const values = ARBITRARY[type]
    if (column === undefined || values === undefined) throw new RangeError(type)
    const requests = fc
      .sample(values, { numRuns: 1_000, seed: 8 })
      .map((value) => ({ column, value, where: type }))
    const theirs = await db.database.session((session) => canonicalTexts(session, requests))
    const ours = describedTexts(requests)
    const pairs = (texts: readonly (string | null)[]) =>
      texts.map((text, index) => [requests[index]?.value, text])
    expect(pairs(ours)).toEqual(pairs(theirs))
  })
})

describe('a definition bound without a server', () => {
  const db = testDatabase()
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(createRewards)
  })

  it.each([Subscription, Reward] as const)('means what it means with one', async (definition) => {
    const { model: live } = await db.database.session((session) => bindAggregate(session, definition))
    const { model } = bindDescribed(definition, { texts: describedTexts, lookup: () => 1 })
    expect(model).toEqual(live)
  })

  it('has columns of every kind as the catalog has them', async () => {
    const types = [
      ...['int2', 'int4', 'int8', 'oid', 'numeric', 'numeric(10,2)', 'float4', 'float8', 'money', 'bool'],
      ...['text', 'varchar', 'varchar(3)', 'char(3)', 'bpchar', 'name', '"char"', 'citext', 'uuid', 'bytea'],
      ...['date', 'time', 'time(3)', 'timetz', 'timestamp', 'timestamp(3)', 'timestamptz', 'timestamptz(0)'],
      ...[
        'interval',
        'interval(3)',
        'interval day to second',
        'json',
        'jsonb',
        'xml',
        'inet',
        'bit(3)',
        'varbit',
      ],
      ...[
        'int4[]',
        'text[]',
        'varchar(3)[]',
        'numeric(10,2)[]',
        'mood[]',
        'int4range',
        'int4multirange',
        'point',
      ],
      ...[
        'mood',
        'pair',
        'd_text',
        'd_time',
        'd_number',
        'd_price',
        'd_mood',
        'd_json',
        'd_bool',
        'd_list',
        'd_citext',
      ],
      ...['tsvector', '"Odd type"'],
    ]
    await db.admin.query(`
      create extension if not exists citext;
      create type public.mood as enum ('sad', 'ok');
      create type public.pair as (a int, b text);
      create type public."Odd type" as enum ('x');
      create domain public.d_text as varchar(5);
      create domain public.d_time as timestamptz(3);
      create domain public.d_number as int8 check (value > 0);
      create domain public.d_price as numeric(10,2);
      create domain public.d_mood as public.mood;
      create domain public.d_json as jsonb;
      create domain public.d_bool as bool;
      create domain public.d_list as int4[];
      create domain public.d_citext as citext;
      create table public.kinds (id int primary key, ${types.map((type, index) => `c${index} ${type}`).join(', ')})`)
    const live = await db.database.session((session) => readTable(session, 'public', 'kinds'))
    if (live === null) throw new RangeError('no table')
    const description = describeTable(live)
    const seen = (table: CatalogTable) =>
      boundColumns(table, description).map(({ name, encoding, temporal, plainText, nullable, known }) => ({
        name: `${name} ${table.columns.find((one) => one.name === name)?.type}`,
        encoding,
        temporal,
        plainText,
        nullable,
        known,
      }))
    expect(seen(describedTable(description))).toEqual(seen(live))
  })
})
