import fc from 'fast-check'
import type pg from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { ident, literal, literalOrNull, qualified, raw, sql } from '../../src/sql/index.js'
import { testDatabase } from '../support/database.js'

/** Everything that has ever broken a quoting function, mixed with everything else. */
const hostile = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom(
          ...`"'.\\$;-/*?:%@(){}\n\t`,
          '$$',
          '$1',
          '--',
          "\\'",
          "''",
          '""',
          'E',
          "E'",
        ),
      },
      { weight: 1, arbitrary: fc.constantFrom('ü', 'ß', '漢', '😀', '\u202e', '\ufeff', 'e\u0301') },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 4 }) },
    ),
    { maxLength: 12 },
  )
  // No PostgreSQL text holds a NUL.
  .map((parts) => parts.join('').replaceAll('\0', ''))

/** A name that PostgreSQL doesn't cut: 63 bytes at most. */
const name = hostile.filter((text) => text !== '' && Buffer.byteLength(text) <= 63)

const RUNS = { numRuns: 300 }

describe.each(['on', 'off'])('under standard_conforming_strings = %s', (setting) => {
  const db = testDatabase({ migrated: false })
  let client: pg.Client
  beforeAll(async () => {
    client = await db.client()
    await client.query(`set standard_conforming_strings = ${setting}; set escape_string_warning = off`)
  })

  it('a literal is read back as the text that it was made from', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const { rows } = await client.query(`select ${literal(text)} as text, 1 as guard`)
        expect(rows).toEqual([{ text, guard: '1' }])
      }),
      RUNS,
    )
  })

  it('an identifier names what it was made from, alone and qualified', async () => {
    await fc.assert(
      fc.asyncProperty(name, async (text) => {
        const { fields } = await client.query(`select 1 as ${ident(text)}`)
        expect(fields.map((field) => field.name)).toEqual([text])
        const { rows } = await client.query(
          `select ${qualified('t', text)} as value from (values (7)) as t(${ident(text)})`,
        )
        expect(rows).toEqual([{ value: '7' }])
      }),
      RUNS,
    )
  })

  it('a literal in a dollar-quoted function body does not end it when the body is a literal itself', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const body = `begin return ${literal(text)}; end`
        await client.query(
          `create or replace function pg_temp.say() returns text language plpgsql as ${literal(body)}`,
        )
        const { rows } = await client.query('select pg_temp.say() as text')
        expect(rows).toEqual([{ text }])
      }),
      RUNS,
    )
  })

  it('the sql tag keeps its parameters apart from hostile names and literals', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, hostile, name, async (first, second, column) => {
        const inner = sql`select ${first}::text as ${raw(ident(column))}, ${raw(literal(second))}::text as "$1"`
        const query = sql`select ${second}::text as before, i.* from (${inner}) i`
        const { rows } = await client.query(query.text, [...query.values])
        expect(rows).toEqual([{ before: second, [column]: first, $1: second }])
      }),
      RUNS,
    )
  })
})

describe('what PostgreSQL can not hold', () => {
  it('is refused where it is quoted', () => {
    expect(() => literal('a\0b')).toThrow(RangeError)
    expect(() => ident('a\0b')).toThrow(RangeError)
    expect(() => ident('')).toThrow(RangeError)
    expect(literalOrNull(null)).toBe('null')
  })
})
