import fc from 'fast-check'
import type {
  AggregateDefinition,
  Assignment,
  Constant,
  EventDefinition,
  Predicate,
} from '../../src/definition/index.js'
import { VALUE_TYPES, type ValueType } from './value-types.js'

export interface RandomColumn extends ValueType {
  readonly name: string
  /** Values that occur in constants and rows alike, so that constants are met. */
  readonly pool: readonly string[]
}

export interface RandomModel {
  readonly columns: readonly RandomColumn[]
  readonly definition: AggregateDefinition
}

const NAMES = [
  'a',
  'status',
  'A b',
  "q'uote",
  'd"q',
  '10',
  '9',
  '$x',
  'café',
  'back\\slash',
  '__proto__',
  'order',
  'x',
  'y',
]

/** Names, types, and a few values of each column. */
const columnsArbitrary: fc.Arbitrary<readonly RandomColumn[]> = fc
  .uniqueArray(fc.constantFrom(...NAMES), { minLength: 2, maxLength: 8 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc
          .constantFrom(...VALUE_TYPES)
          .chain((type) =>
            fc
              .array(type.exact ?? type.value, { minLength: 1, maxLength: 3 })
              .map((pool): RandomColumn => ({ ...type, name, pool })),
          ),
      ),
    ),
  )

/** A random table of `schema.name` with key `id`, and a random definition over it. */
export function randomModel(table: string): fc.Arbitrary<RandomModel> {
  return columnsArbitrary.chain((columns) => {
    const temporal = columns.filter((column) => column.temporal === true)
    return fc
      .record({
        creating: fc.array(eventArbitrary(columns, temporal), { minLength: 1, maxLength: 2 }),
        later: fc.array(eventArbitrary(columns, temporal), { maxLength: 4 }),
        stamp: fc.option(fc.constantFrom(...temporal, undefined), { nil: undefined }),
        timeZone: fc.constantFrom('UTC', 'UTC', 'America/New_York'),
        unknown: fc.option(fc.constantFrom(...columns), { nil: undefined, freq: 4 }),
      })
      .map(({ creating, later, stamp, timeZone, unknown }) => ({
        columns,
        definition: definitionOf(table, columns, { creating, later, stamp, timeZone, unknown }),
      }))
  })
}

interface RandomEvent {
  readonly roles: readonly ('data' | 'renamed' | 'constant' | 'bound' | 'none')[]
  readonly constants: readonly number[]
  readonly when: Predicate | null
  readonly facts: readonly string[]
  /** Code says what it does, so it's never recognised. */
  readonly code: boolean
  /** Columns from this one on are of the aggregate's base. */
  readonly inheritsFrom: number
}

function eventArbitrary(
  columns: readonly RandomColumn[],
  temporal: readonly RandomColumn[],
): fc.Arbitrary<RandomEvent> {
  return fc.record({
    roles: fc.tuple(
      ...columns.map((column) =>
        temporal.includes(column)
          ? fc.constantFrom(
              'none' as const,
              'none' as const,
              'data' as const,
              'bound' as const,
              'bound' as const,
            )
          : fc.constantFrom(
              'none' as const,
              'none' as const,
              'data' as const,
              'renamed' as const,
              'constant' as const,
            ),
      ),
    ),
    constants: fc.tuple(...columns.map((column) => fc.nat({ max: column.pool.length }))),
    when: fc.option(predicateArbitrary(columns), { nil: null, freq: 2 }),
    facts: fc.constantFrom([], [], ['status'], ['reason']),
    code: fc.constantFrom(false, false, false, false, true),
    inheritsFrom: fc.oneof(fc.constant(columns.length), fc.nat({ max: columns.length })),
  })
}

function predicateArbitrary(columns: readonly RandomColumn[]): fc.Arbitrary<Predicate> {
  const leaf = fc
    .constantFrom(...columns)
    .chain((column) =>
      fc
        .tuple(
          fc.constantFrom('is', 'was', 'becomes', 'becameNotNull', 'changes'),
          fc.constantFrom(null, ...column.pool),
        )
        .map(
          ([op, value]): Predicate =>
            op === 'becameNotNull' || op === 'changes'
              ? { op, column: column.name }
              : { op: op as 'is', column: column.name, value: constantOf(column, value) },
        ),
    )
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    leaf.map((of): Predicate => ({ op: 'not', of })),
    fc
      .tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(leaf, { maxLength: 3 }))
      .map(([op, of]): Predicate => ({ op, of })),
  )
}

/** A boolean column takes booleans. */
function constantOf({ type }: RandomColumn, text: string | null): Constant {
  return type === 'boolean' && text !== null ? text === 't' : text
}

interface Parts {
  readonly creating: readonly RandomEvent[]
  readonly later: readonly RandomEvent[]
  readonly stamp: RandomColumn | undefined
  readonly timeZone: string
  readonly unknown: RandomColumn | undefined
}

function definitionOf(table: string, columns: readonly RandomColumn[], parts: Parts): AggregateDefinition {
  const mine = columns.filter((column) => column !== parts.stamp && column !== parts.unknown)
  const described = columns.filter((column) => column !== parts.unknown)
  const event = (creates: boolean) => (random: RandomEvent, at: number) =>
    eventOf(`${creates ? 'Made' : 'Turned'}${at}`, creates, columns, mine, {
      ...random,
      // What is there already, and what old code makes, must begin with something.
      code: random.code && !(creates && at === 0),
    })
  const known = (value: RandomEvent): RandomEvent => ({
    ...value,
    when: value.when !== null && mentions(value.when, parts.unknown?.name) ? null : value.when,
  })
  return {
    name: `Law ${table}`,
    table: {
      schema: 'public',
      name: table,
      key: ['id'],
      columns: Object.fromEntries([
        ['id', { type: 'bigint', nullable: false }],
        ...described.map(({ name, type }) => [name, { type, nullable: true }] as const),
      ]),
    },
    events: [...parts.creating.map(known).map(event(true)), ...parts.later.map(known).map(event(false))],
    updatedAt: parts.stamp === undefined || parts.stamp === parts.unknown ? null : parts.stamp.name,
    timeZone: parts.timeZone,
    directWrites: 'capture',
    residue: { changed: 'Changed', deleted: 'Deleted' },
  }
}

function mentions(predicate: Predicate, column: string | undefined): boolean {
  if ('column' in predicate) return predicate.column === column
  return Array.isArray(predicate.of)
    ? predicate.of.some((part) => mentions(part, column))
    : mentions(predicate.of as Predicate, column)
}

function eventOf(
  type: string,
  creates: boolean,
  all: readonly RandomColumn[],
  mine: readonly RandomColumn[],
  random: RandomEvent,
): EventDefinition {
  const of = (...roles: RandomEvent['roles'][number][]) =>
    mine.filter((column) => roles.includes(random.roles[all.indexOf(column)] ?? 'none'))
  const data = of('data', 'renamed').map((column) => ({
    attribute: random.roles[all.indexOf(column)] === 'renamed' ? `${column.name}_r` : column.name,
    column: column.name,
  }))
  const set: readonly Assignment[] = [
    ...of('bound').map((column): Assignment => ({ kind: 'occurredAt', column: column.name })),
    ...of('constant').map(
      (column): Assignment => ({
        kind: 'constant',
        column: column.name,
        value: constantOf(column, column.pool[random.constants[all.indexOf(column)] ?? 0] ?? null),
      }),
    ),
  ]
  const attributes = new Set(data.map(({ attribute }) => attribute))
  const facts = random.facts.filter((fact) => !attributes.has(fact))
  const inherited = mine
    .map(({ name }) => name)
    .filter((name) => all.findIndex((column) => column.name === name) >= random.inheritsFrom)
  return {
    type,
    schemaVersion: 1,
    creates,
    data,
    facts,
    set,
    when: random.when,
    ...(inherited.length === 0 ? {} : { inherited }),
    ...(random.code ? { apply: { run: () => ({}), known: 'version:1' } } : {}),
  }
}

/** A pair of rows: each column is NULL, from its pool, or anything; after is often equal to before. */
export function randomPair(columns: readonly RandomColumn[]): fc.Arbitrary<RandomPair> {
  const value = (column: RandomColumn) =>
    fc.oneof(
      fc.constant(null),
      fc.constantFrom(...column.pool),
      fc.constantFrom(...column.pool),
      column.value,
    )
  const row = fc.tuple(...columns.map(value))
  return fc
    .record({
      before: row,
      after: row,
      keep: fc.tuple(...columns.map(() => fc.boolean())),
      creation: fc.integer({ min: 0, max: 2 }),
    })
    .map(({ before, after, keep, creation }) => ({
      before: creation === 0 ? null : before,
      after: after.map((text, at) => (creation !== 0 && keep[at] === true ? (before[at] ?? null) : text)),
    }))
}

export interface RandomPair {
  readonly before: readonly (string | null)[] | null
  readonly after: readonly (string | null)[]
}
