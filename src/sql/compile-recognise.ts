import type { BoundColumn, BoundModel } from '../definition/index.js'
import { conditionSql, join, type Sides, sideDiffersSql } from './compile-condition.js'
import { dataSql, type Extra } from './compile-data.js'
import { instantSql } from './compile-instant.js'
import { countAll, countBefore, isLastOf } from './compile-order.js'
import { anyResidue, creatingMisses, extraColumns, isUnexplained, residueColumns } from './compile-residue.js'
import { literal } from './literal.js'
import { type Numbered, recognised, type Scope, scopeOf, timeOf } from './recognition-scope.js'

/** What one event of a write is, as SQL expressions over a source that goes by `s`. */
export interface EventSql {
  readonly type: string
  readonly schemaVersion: number
  readonly creates: boolean
  /** Whether the write means this event. */
  readonly where: string
  /** Its place among the write's events, from 1. */
  readonly ordinal: string
  readonly data: string
  readonly occurredAt: string
  readonly inferred: string
}

export interface RecogniseSql {
  /** A SELECT over `from`: one row a write, with the columns that the events' expressions read under the alias `s`. */
  readonly source: string
  /** SQL of how many events the write means. */
  readonly count: string
  readonly events: readonly EventSql[]
}

export interface RecogniseInput {
  /** A FROM item with its WHERE, ORDER BY, LIMIT: the writes, in which `sides` can be read. */
  readonly from: string
  readonly sides: Sides
  /** Further columns that the source hands on: `sql as name`. */
  readonly select?: readonly string[]
  /** SQL (timestamptz, never NULL) of the time of what no column dates. */
  readonly now: string
  /**
   * Date what no column dates by `updatedAt`, else by the creation, else by `now`; or SQL of whether to.
   * @default false
   */
  readonly backfill?: boolean | string
}

/**
 * recognise, compiled: the twin of `src/recognise`. A creation where `sides.before` is null, else updates of rows whose
 * key stays.
 *
 * Two levels: the flags of each write are computed once behind a fence (`offset 0` keeps the planner from copying their
 * expressions to every use), then one branch per event type reads them. A version is a count of what comes before, not
 * a sort.
 */
export function compileRecognise(model: BoundModel, input: RecogniseInput): RecogniseSql {
  const creation = input.sides.before === null
  const inner = withGiven(scopeOf(model, creation, 'q'), input.sides)
  const raw: Scope = { ...inner, sides: input.sides }
  const outer = withGiven(scopeOf(model, creation, 's'), input.sides)
  const flags = [...(input.select ?? []), ...columnsOfSides(raw, input.sides), ...flagsOf(raw, input)]
  const changed = changedEvent(outer)
  return {
    source: `select q.*, (${anyResidue(inner)}) as x from (select ${flags.join(', ')} from ${input.from} offset 0) q`,
    events: [
      ...outer.creating.map((event, index) => creatingEvent(outer, event, index)),
      ...outer.later.map((event) => laterEvent(outer, event)),
      changed,
    ].filter(({ where }) => where !== 'false'),
    count: `${creation ? 1 : 0} + ${countAll(outer)} + (${changed.where})::int4`,
  }
}

/** `member` and `typed` read no alias: they hold on every level. */
function withGiven(scope: Scope, { member, typed }: Sides): Scope {
  const given = { ...(member === undefined ? {} : { member }), ...(typed === undefined ? {} : { typed }) }
  return { ...scope, sides: { ...scope.sides, ...given } }
}

function columnsOfSides({ model }: Scope, sides: Sides): readonly string[] {
  const { after, before } = sides
  const of = (side: (column: BoundColumn) => string, prefix: string) =>
    model.columns.map((column) => `${side(column)} as ${prefix}${column.attnum}`)
  return before === null ? of(after, 'a') : [...of(after, 'a'), ...of(before, 'b')]
}

function flagsOf(scope: Scope, input: RecogniseInput): readonly string[] {
  const condition = ({ event }: Numbered) => conditionSql(event.condition, scope.sides, scope.columnNamed)
  const undated = undatedSql(scope, input, condition)
  const dated = [...scope.creating, ...scope.later].filter(({ event }) => event.bound.length > 0)
  return [
    `(${undated}) as u`,
    `(${chosenSql(scope, condition)}) as c`,
    ...scope.later.map((numbered) => `(${condition(numbered)}) as r${numbered.n}`),
    ...dated.map((numbered) => `coalesce(${boundInstant(scope, numbered)}, ${undated}) as t${numbered.n}`),
    ...dated.map((numbered) => `(${boundInstant(scope, numbered)} is null) as i${numbered.n}`),
  ]
}

/** The first creating event whose condition holds, else the last declared. */
function chosenSql({ creating }: Scope, condition: (event: Numbered) => string): string {
  const last = Math.max(creating.length - 1, 0)
  if (last === 0) return '0'
  const branches = creating.slice(0, last).map((event, index) => `when ${condition(event)} then ${index}`)
  return `case ${branches.join(' ')} else ${last} end`
}

function undatedSql(scope: Scope, input: RecogniseInput, condition: (event: Numbered) => string): string {
  const { backfill = false } = input
  if (backfill === false) return input.now
  const { model, creating } = scope
  const stamp = model.updatedAt === null ? [] : [instantOfColumn(scope, model.updatedAt)]
  const created = creating.map((event) => boundInstant(scope, event))
  const [only] = created
  const chosen =
    created.length === 1 && only !== undefined
      ? [only]
      : [
          `case (${chosenSql(scope, condition)}) ${created.map((sql, index) => `when ${index} then ${sql}`).join(' ')} end`,
        ]
  const known = `coalesce(${[...stamp, ...(created.length === 0 ? [] : chosen), input.now].join(', ')})`
  return backfill === true ? known : `case when ${backfill} then ${known} else ${input.now} end`
}

/** SQL of the instant that an event's first bound column means, or NULL. */
export function boundInstant(scope: Scope, { event }: Numbered): string {
  const [column] = event.bound
  return column === undefined ? 'null::pg_catalog.timestamptz' : instantOfColumn(scope, column)
}

function instantOfColumn(scope: Scope, name: string): string {
  const column = scope.columnNamed(name)
  const { typed, after } = scope.sides
  return instantSql(column, (typed ?? after)(column), scope.model.timeZone)
}

export function creatingEvent(scope: Scope, numbered: Numbered, index: number): EventSql {
  const { event } = numbered
  const extras = extraColumns(scope).map((column) => ({
    column,
    when: creatingMisses(scope, numbered, column),
  }))
  const last = join(
    [`not ${scope.ref('x')}`, ...scope.later.map((later) => `not ${recognised(scope, later)}`)],
    'and',
    'true',
  )
  return {
    ...dated(scope, numbered),
    type: event.type,
    schemaVersion: event.schemaVersion,
    creates: true,
    where: scope.creating.length === 1 ? 'true' : `${scope.ref('c')} = ${index}`,
    ordinal: '1',
    data: dataSql(scope, event, [...extras, ...stampExtra(scope, last)]),
  }
}

export function laterEvent(scope: Scope, numbered: Numbered): EventSql {
  const { event } = numbered
  const last = join([`not ${scope.ref('x')}`, isLastOf(scope, numbered, scope.later)], 'and', 'true')
  return {
    ...dated(scope, numbered),
    type: event.type,
    schemaVersion: event.schemaVersion,
    creates: false,
    where: recognised(scope, numbered),
    ordinal: `${scope.creation ? 2 : 1} + ${countBefore(scope, numbered)}`,
    data: dataSql(scope, event, stampExtra(scope, last)),
  }
}

/** What is left, in one last event; on an update also `updatedAt` where it changed alone. */
export function changedEvent(scope: Scope): EventSql {
  const { model } = scope
  const extras: readonly Extra[] = residueColumns(scope).map((column) => ({
    column,
    when: isUnexplained(scope, column),
  }))
  const stamp = model.updatedAt === null ? null : scope.columnNamed(model.updatedAt)
  const stampDiffers = stamp === null ? 'false' : `(${sideDiffersSql(stamp, scope.sides)})`
  const alone = join(
    [stampDiffers, ...scope.later.map((event) => `not ${recognised(scope, event)}`)],
    'and',
    'true',
  )
  const where = join([scope.ref('x'), scope.creation ? 'false' : alone], 'or', 'false')
  const shape = { data: [], facts: [], constants: [], bound: [] } as const
  const type = model.residue.changed
  return {
    type,
    schemaVersion: 1,
    creates: false,
    where: anyResidue(scope) === 'false' && scope.creation ? 'false' : where,
    ordinal: `${scope.creation ? 2 : 1} + ${countAll(scope)}`,
    data: dataSql(scope, { ...shape, type, schemaVersion: 1, effect: 'changes' }, [
      ...extras,
      ...(stamp === null ? [] : [{ column: stamp, when: stampDiffers }]),
    ]),
    occurredAt: scope.ref('u'),
    inferred: 'true',
  }
}

/** `updatedAt` travels in the last event of its write. */
function stampExtra(scope: Scope, isLast: string): readonly Extra[] {
  const { updatedAt } = scope.model
  if (updatedAt === null) return []
  const column = scope.columnNamed(updatedAt)
  return [{ column, when: join([isLast, `(${sideDiffersSql(column, scope.sides)})`], 'and', 'true') }]
}

function dated(scope: Scope, numbered: Numbered): Pick<EventSql, 'occurredAt' | 'inferred'> {
  const bound = numbered.event.bound.length > 0
  return {
    occurredAt: timeOf(scope, numbered),
    inferred: bound ? scope.ref(`i${numbered.n}`) : 'true',
  }
}

/** SQL of an event type's name as a literal. */
export const typeLiteral = ({ type }: EventSql): string => `${literal(type)}::pg_catalog.text`
