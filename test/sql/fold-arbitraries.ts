/** Random bound models and streams for fold, most of them ill-natured. */
import fc from 'fast-check'
import type {
  BoundColumn,
  BoundModel,
  Encoding,
  EventShape,
  RowHistory,
  Temporal,
} from '../../src/definition/index.js'

export interface FoldCase {
  readonly model: BoundModel
  readonly streams: readonly (readonly RandomEvent[])[]
}

export interface RandomEvent {
  readonly version: number
  readonly type: string
  readonly schemaVersion: number
  readonly data: string
  readonly occurredAt: string
  /** JSON text: under which row shape it was written. */
  readonly metadata: string
}

const NAMES = ['a', 'b', 'C d', 'e"f', "g'h", 'i\\j', '$k', '$residue', 'l.m', 'ñ', 'n?', 'o$1', '0', '1']

const KINDS: readonly { castType: string; encoding: Encoding; temporal: Temporal | null }[] = [
  { castType: 'pg_catalog.text', encoding: 'text', temporal: null },
  { castType: 'pg_catalog."numeric"', encoding: 'number', temporal: null },
  { castType: 'pg_catalog.bool', encoding: 'boolean', temporal: null },
  { castType: 'pg_catalog.jsonb', encoding: 'jsonb', temporal: null },
  { castType: 'pg_catalog.timestamptz', encoding: 'text', temporal: 'timestamptz' },
  { castType: 'pg_catalog."timestamp"', encoding: 'text', temporal: 'timestamp' },
  { castType: 'pg_catalog.date', encoding: 'text', temporal: 'date' },
]

const TIMES = [
  '2018-02-01 00:00:00+00',
  '2018-02-01 23:30:00.5+00',
  '2026-06-30 22:59:59.123456+00',
  'infinity',
  '-infinity',
  '0044-03-15 12:00:00+00 BC',
]

const column = (name: string, attnum: number): fc.Arbitrary<BoundColumn> =>
  fc
    .record({ kind: fc.constantFrom(...KINDS), nullable: fc.boolean(), known: fc.boolean() })
    .map(({ kind, ...rest }) => ({
      name,
      attnum,
      ...kind,
      ...rest,
      declaredType: 'any',
      faithful: false,
      composite: false,
      plainText: kind.castType === 'pg_catalog.text',
    }))

const names = (min: number) => fc.subarray(NAMES, { minLength: min })

const shape = (type: string, schemaVersion: number): fc.Arbitrary<EventShape> =>
  fc
    .record({
      effect: fc.constantFrom('creates', 'creates', 'changes', 'changes', 'changes', 'deletes'),
      carried: names(0),
      attributes: fc.shuffledSubarray([...NAMES.filter((name) => !name.startsWith('$')), 'x', 'y']),
      renamed: fc.boolean(),
      facts: names(0),
      constants: fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom('0', '1', '2')),
      bound: names(0),
    })
    .map(({ effect, carried, attributes, renamed, facts, constants, bound }): EventShape => {
      const own = carried.filter((name) => !name.startsWith('$'))
      const data = (renamed ? own.slice(0, attributes.length) : own).map((name, index) => ({
        attribute: renamed ? (attributes[index] ?? name) : name,
        column: name,
      }))
      const taken = new Set([...data.map(({ attribute }) => attribute)])
      return {
        type,
        schemaVersion,
        effect: effect as EventShape['effect'],
        data,
        facts: facts.filter((fact) => !taken.has(fact) && !fact.startsWith('$')),
        constants: Object.entries(constants).map(([name, value]) => ({ column: name, value })),
        bound,
      }
    })

const TYPES = ["It's", 'B', 'C'] as const

const value = fc.constantFrom(
  'null',
  'true',
  'false',
  '1',
  '1.10',
  '-0',
  '"text"',
  '"1.10"',
  '"null"',
  '""',
  '{}',
  '[]',
  '{"a": {"b": [1.0]}}',
  '"\\u00e9 \\"q\\" \\\\ \\n"',
  '1e3',
  '12345678901234567890.000',
)

const object = (extra: readonly string[]) =>
  fc
    .array(fc.tuple(fc.constantFrom(...NAMES, ...extra), value), { maxLength: 8 })
    .map((members) => `{${members.map(([name, raw]) => `${JSON.stringify(name)}: ${raw}`).join(', ')}}`)

const data = fc.oneof(
  { weight: 8, arbitrary: object(['x', 'y']) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(object(['x']), fc.oneof({ weight: 4, arbitrary: object([]) }, value))
      .map(([own, residue]) => `{"$residue": ${residue}, ${own.slice(1)}`.replace(/, \}$/, '}')),
  },
  { weight: 1, arbitrary: value },
  { weight: 1, arbitrary: fc.constantFrom('["a", 1]', '["$residue"]', '"$residue"') },
)

const ATTNUMS = Array.from({ length: 8 }, (_, index) => index + 1)

/** Names of columns by number, each name once. */
const numbered = fc
  .tuple(fc.shuffledSubarray(ATTNUMS, { minLength: 1 }), fc.shuffledSubarray(NAMES, { minLength: 8 }))
  .map(([attnums, names]) => attnums.map((attnum, index) => ({ attnum, name: names[index] ?? '' })))

/** Row shapes that have little to do with the live table, and what some columns held when they were added. */
const history: fc.Arbitrary<RowHistory> = fc.record({
  shapes: fc.array(numbered, { minLength: 1, maxLength: 3 }).map((shapes) =>
    shapes.map((columns, index) => ({
      id: `s${index}`,
      columns: columns.map((one) => ({ ...one, type: 'any' })),
    })),
  ),
  added: fc
    .tuple(
      fc.shuffledSubarray(ATTNUMS),
      fc.array(fc.constantFrom('0', '1', '2'), { minLength: 8, maxLength: 8 }),
    )
    .map(([attnums, texts]) => attnums.map((attnum, index) => ({ attnum, text: texts[index] ?? '0' }))),
})

const metadata = fc.record(
  {
    shape: fc.constantFrom('s0', 's1', 's2', 'unheard'),
    cold: fc.constantFrom(true, true, false),
    columns: fc.oneof(
      {
        weight: 4,
        arbitrary: fc
          .tuple(numbered, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }))
          .map(([moved, gone]) =>
            Object.fromEntries(moved.map(({ attnum, name }, index) => [attnum, gone[index] ? null : name])),
          ),
      },
      { weight: 1, arbitrary: fc.constantFrom<unknown>([], 'none', null) },
    ),
  },
  { requiredKeys: [] },
)

const event = fc.record({
  metadata: metadata.map((value) => JSON.stringify(value)),
  type: fc.constantFrom(...TYPES, 'Deleted'),
  schemaVersion: fc.constantFrom(1, 1, 1, 2),
  data,
  occurredAt: fc.constantFrom(...TIMES),
  skip: fc.integer({ min: 0, max: 9 }),
})

const stream = fc.array(event, { minLength: 1, maxLength: 6 }).map((events) => {
  let version = 0
  return events.map(({ skip, ...rest }): RandomEvent => {
    version += skip === 0 ? 2 : 1
    return { version, ...rest }
  })
})

export const foldCase: fc.Arbitrary<FoldCase> = fc
  .record({
    columns: names(1).chain((chosen) => fc.tuple(...chosen.map((name, index) => column(name, index + 1)))),
    keyLength: fc.integer({ min: 1, max: 2 }),
    shapes: fc.tuple(shape(TYPES[0], 1), shape(TYPES[1], 1), shape(TYPES[1], 2), shape(TYPES[2], 1)),
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
    history: fc.option(history),
    streams: fc.array(stream, { minLength: 1, maxLength: 6 }),
  })
  .map(({ columns, keyLength, shapes, timeZone, history, streams }) => ({
    model: {
      name: "Pro'p",
      schema: 'public',
      table: 'nowhere',
      key: columns.slice(0, keyLength).map(({ name }) => name),
      columns,
      events: [],
      shapes: [
        ...shapes.map((shape) => ({ ...shape, constants: canonicalConstants(shape, columns) })),
        {
          type: 'Deleted',
          schemaVersion: 1,
          effect: 'deletes',
          data: [],
          facts: [],
          constants: [],
          bound: [],
        },
      ],
      updatedAt: null,
      timeZone,
      residue: { changed: 'Changed', deleted: 'Deleted' },
      history: history === null ? null : { ...history, added: canonicalAdded(history, columns) },
      hash: '',
    },
    streams,
  }))

/** A bound model's constants are canonical texts of their columns' types. */
const CONSTANTS: Readonly<Record<Encoding, readonly (string | null)[]>> = {
  number: ['1.10', 'NaN', null],
  boolean: ['t', 'f', null],
  jsonb: ['{"a": 1}', '"x"', 'null'],
  text: ['q\'\\"uote', '', null],
}

function canonicalConstants(shape: EventShape, columns: readonly BoundColumn[]): EventShape['constants'] {
  return shape.constants.map(({ column, value }) => {
    const encoding = columns.find(({ name }) => name === column)?.encoding ?? 'text'
    return { column, value: CONSTANTS[encoding][Number(value)] ?? null }
  })
}

function canonicalAdded({ added }: RowHistory, columns: readonly BoundColumn[]): RowHistory['added'] {
  return added.map(({ attnum, text }) => {
    const encoding = columns.find((column) => column.attnum === attnum)?.encoding ?? 'text'
    return { attnum, text: CONSTANTS[encoding][Number(text)] ?? null }
  })
}
