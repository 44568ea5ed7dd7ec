import { describe, expect, it } from 'vitest'
import { bindAggregate } from '../../src/bind/index.js'
import { compileVerifyStreams, literal, streamRangeSql, typedKey } from '../../src/sql/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { createdEvent, smallTable } from './small-table.js'

const ENGINES = ['sql', 'replay'] as const

/** Column types of a key, one row's values, and the id of its stream. */
const KEYS: readonly { types: readonly string[]; values: readonly string[]; id: string }[] = [
  { types: ['text'], values: [`O'Brien "x" \\ \t ü`], id: `O'Brien "x" \\ \t ü` },
  { types: ['text collate "de-x-icu"'], values: ['ä'], id: 'ä' },
  { types: ['varchar(5)'], values: [''], id: '' },
  { types: ['character(4)'], values: ['ab'], id: 'ab  ' },
  { types: ['numeric'], values: ['1.00'], id: '1.00' },
  {
    types: ['uuid'],
    values: ['A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'],
    id: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  },
  { types: ['timestamptz'], values: ['2020-01-01 00:00:00+02'], id: '2019-12-31 22:00:00+00' },
  { types: ['boolean'], values: ['true'], id: 't' },
  { types: ['bytea'], values: ['\\x00ff'], id: '\\x00ff' },
  { types: ['integer', 'text'], values: ['7', 'a"b\\c'], id: '["7","a\\"b\\\\c"]' },
  {
    types: ['text', 'numeric', 'date'],
    values: ['[', '1.10', '2020-02-29'],
    id: '["[","1.10","2020-02-29"]',
  },
  { types: ['text collate "C"', 'character(3)'], values: ['é\n', 'x'], id: '["é\\n","x  "]' },
]

describe('verify finds the row of a stream', () => {
  const db = testDatabase()

  it.each(KEYS)('by a key of $types', async ({ types, values, id }) => {
    const name = `key_${KEYS.findIndex((key) => key.id === id)}`
    const key = types.map((_, part) => `k ${part}`)
    const columns = Object.fromEntries(types.map((type, part) => [key[part], type]))
    const { definition } = await smallTable(db.admin, name, { ...columns, v: 'text' }, key)
    await db.admin.query(`insert into public.${name} values (${values.map(literal).join(', ')}, 'right')`)
    await createdEvent(db.admin, name, id, '{"v": "right"}')
    for (const engine of ENGINES) {
      const { table, differences } = await verify(db.database, definition, { engine })
      expect(differences).toEqual([])
      expect(table).toMatchObject({ rows: '1', streams: '1' })
    }
    await db.admin.query(`update public.${name} set v = 'wrong'`)
    for (const engine of ENGINES) {
      const { differences } = await verify(db.database, definition, { engine })
      expect(differences).toMatchObject([
        { key: id, columns: [{ column: 'v', row: 'wrong', events: 'right' }] },
      ])
    }
  })

  it('tells numeric keys apart that are equal as numbers', async () => {
    const { definition, name } = await smallTable(db.admin, 'scaled', { id: 'numeric', v: 'integer' })
    await db.admin.query(`insert into public.scaled values (1.00, 5)`)
    await createdEvent(db.admin, name, '1.0', '{"v": 5}')
    for (const engine of ENGINES) {
      const { differences } = await verify(db.database, definition, { engine })
      expect(differences.map(({ key, kind }) => [key, kind])).toEqual([
        ['1.0', 'missing_row'],
        ['1.00', 'missing_stream'],
      ])
    }
  })

  it('reports ids that are none of a composite key, and goes on', async () => {
    const { definition, name } = await smallTable(
      db.admin,
      'pair',
      { a: 'integer', b: 'text', v: 'integer' },
      ['a', 'b'],
    )
    await db.admin.query(`insert into public.pair values (1, 'x', 5)`)
    await createdEvent(db.admin, name, '["1","x"]', '{"v": 5}')
    await createdEvent(db.admin, name, 'no json', '{"v": 5}')
    await createdEvent(db.admin, name, '["one","x"]', '{"v": 5}')
    for (const engine of ENGINES) {
      const { table, differences } = await verify(db.database, definition, { engine })
      expect(table.streams).toBe('3')
      expect(differences.map(({ key, kind }) => [key, kind])).toEqual([
        ['["one","x"]', 'unreadable'],
        ['no json', 'unreadable'],
      ])
    }
  })

  it.each(['text', 'text collate "de-x-icu"', 'integer', 'character(8)'])(
    'of type %s by its index, analysed or never',
    async (type) => {
      const name = `probed_${type.replace(/\W/g, '')}`
      const { definition } = await smallTable(db.admin, name, { id: type, v: 'integer' })
      await db.admin.query(
        `insert into public.${name} select i::text::${type.replace(/ collate.*/, '')}, i from generate_series(1, 3000) i`,
      )
      await db.database.session(async (session) => {
        const { model, table } = await bindAggregate(session, definition)
        const source = {
          model,
          key: typedKey(model, table.key?.columns ?? []),
          events: { schema: 'public', table: 'events' },
        }
        const { text, values } = compileVerifyStreams(source, streamRangeSql({ after: '1', upTo: '5' }))
        const expectProbes = async () => {
          const plan = (await session.rows({ text: `explain ${text}`, values }))
            .map((row) => Object.values(row)[0])
            .join('\n')
          expect(plan).toMatch(new RegExp(`Index (Only )?Scan using ${name}_pkey`))
          expect(plan).not.toContain(`Seq Scan on ${name}`)
        }
        await expectProbes()
        await db.admin.query(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
          select '${name}', i, 1, 'Created', '{}', now() from generate_series(1, 3000) i`)
        await db.admin.query(`analyze public.${name}, public.events, public.events_${name}`)
        await expectProbes()
      })
    },
  )
})
