/** HAZARDS C1 and C2: what neither to_jsonb nor the type's own equality sees. */
import { describe, expect, it } from 'vitest'
import { literal } from '../../src/sql/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { createdEvent, smallTable } from './small-table.js'

interface Hidden {
  readonly what: string
  readonly type: string
  /** What the row holds, as text. */
  readonly row: string
  /** What the event says, as JSON. */
  readonly event: string
  /** The two texts that are told. */
  readonly texts: readonly [row: string | null, events: string | null]
  /** SQL of the comparison that a naive verifier makes of `r` and `e`: it calls them equal. */
  readonly naive: string
}

const EQUAL = 'r = e'
const JSONB = 'to_jsonb(r) = to_jsonb(e)'

const HIDDEN: readonly Hidden[] = [
  { what: '1.1 and 1.10', type: 'numeric', row: '1.1', event: '1.10', texts: ['1.1', '1.10'], naive: EQUAL },
  {
    what: "'a' and 'A' in citext",
    type: 'public.citext',
    row: 'a',
    event: '"A"',
    texts: ['a', 'A'],
    naive: `r operator(public.=) e`,
  },
  {
    what: '30 days and 1 mon',
    type: 'interval',
    row: '30 days',
    event: '"1 mon"',
    texts: ['30 days', '1 mon'],
    naive: EQUAL,
  },
  { what: '0 and -0', type: 'double precision', row: '0', event: '"-0"', texts: ['0', '-0'], naive: EQUAL },
  {
    what: 'the padding of char(3)',
    type: 'character(3)',
    row: 'a',
    event: '"a"',
    texts: ['a  ', 'a'],
    naive: `r = 'a'::bpchar`,
  },
  {
    what: 'the spaces of json',
    type: 'json',
    row: '{"a":1}',
    event: '"{\\"a\\": 1}"',
    texts: ['{"a":1}', '{"a": 1}'],
    naive: 'r::jsonb = e::jsonb',
  },
  {
    what: 'a double key of json',
    type: 'json',
    row: '{"a":1,"a":2}',
    event: '"{\\"a\\":2}"',
    texts: ['{"a":1,"a":2}', '{"a":2}'],
    naive: 'r::jsonb = e::jsonb',
  },
  {
    what: '1.1 and 1.10 in jsonb',
    type: 'jsonb',
    row: '{"a": 1.1}',
    event: '{"a": 1.10}',
    texts: ['{"a": 1.1}', '{"a": 1.10}'],
    naive: EQUAL,
  },
  {
    what: 'JSON null and SQL NULL',
    type: 'jsonb',
    row: 'null',
    event: 'null',
    texts: ['null', null],
    naive: `to_jsonb(r) is not distinct from coalesce(to_jsonb(e), 'null')`,
  },
  {
    what: 'the lower bound of an array',
    type: 'integer[]',
    row: '[0:1]={1,2}',
    event: '"{1,2}"',
    texts: ['[0:1]={1,2}', '{1,2}'],
    naive: JSONB,
  },
  {
    what: 'points that are all but the same',
    type: 'point',
    row: '(1,1)',
    event: '"(1.0000001,1)"',
    texts: ['(1,1)', '(1.0000001,1)'],
    naive: 'r ~= e',
  },
]

describe('a difference that equality hides', () => {
  const db = testDatabase()

  it.each(HIDDEN)('$what: found by both engines', async (hidden) => {
    await db.admin.query('create extension if not exists citext schema public')
    const index = HIDDEN.indexOf(hidden)
    const { definition, name } = await smallTable(db.admin, `hidden_${index}`, {
      id: 'integer',
      v: hidden.type,
    })
    await db.admin.query(`insert into public.${name} values (1, ${literal(hidden.row)})`)
    await createdEvent(db.admin, name, '1', `{"v": ${hidden.event}}`)

    const { rows } = await db.admin.query(
      `select ${hidden.naive} as equal from (
         select r.v as r, (d.data ->> 'v')::${hidden.type} as e from public.${name} r, public.events d where d.aggregate_type = $1
       ) both_sides`,
      [name],
    )
    expect(rows, 'the naive comparison sees nothing').toEqual([{ equal: 't' }])

    for (const engine of ['sql', 'replay'] as const) {
      const { differences } = await verify(db.database, definition, { engine })
      expect(differences).toMatchObject([
        {
          key: '1',
          kind: 'row_differs',
          columns: [{ column: 'v', row: hidden.texts[0], events: hidden.texts[1] }],
        },
      ])
    }
  })
})

describe('values whose text depends on settings', () => {
  const db = testDatabase()

  it('are clean where the database writes dates, intervals, bytes and floats its own way', async () => {
    const types = {
      at: 'timestamptz',
      ats: 'timestamptz[]',
      day: 'date',
      span: 'interval',
      bytes: 'bytea',
      real: 'real',
      double: 'double precision',
      range: 'tstzrange',
      money: 'money',
    }
    const { definition, name } = await smallTable(db.admin, 'settings', { id: 'integer', ...types })
    const values = {
      at: '2024-03-02 09:14:07.123456+00',
      ats: '{"2024-03-02 09:14:07+00"}',
      day: '2024-03-02',
      span: '1 year 2 mons 3 days 04:05:06',
      bytes: '\\x00ff',
      real: '0.1',
      double: '0.30000000000000004',
      range: '["2024-03-02 09:14:07+00",)',
      money: '$1.00',
    }
    await db.admin.query(
      `insert into public.settings values (1, ${Object.values(values).map(literal).join(', ')})`,
    )
    await createdEvent(db.admin, name, '1', JSON.stringify(values))
    const image = async () => {
      const client = await db.client()
      return (await client.query("select to_jsonb(s) - 'id' as image from public.settings s")).rows[0].image
    }
    const before = await image()
    await db.admin.query(`do $$ begin
      execute format('alter database %I set timezone = ''Asia/Tokyo''', current_database());
      execute format('alter database %I set datestyle = ''German''', current_database());
      execute format('alter database %I set intervalstyle = ''iso_8601''', current_database());
      execute format('alter database %I set bytea_output = ''escape''', current_database());
      execute format('alter database %I set extra_float_digits = 0', current_database());
    end $$`)
    expect(await image(), 'to_jsonb under other settings is another image').not.toBe(before)

    for (const engine of ['sql', 'replay'] as const) {
      expect((await verify(db.database, definition, { engine })).differences).toEqual([])
    }
  })
})
