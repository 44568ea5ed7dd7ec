import type { BoundModel } from '../../definition/index.js'
import { columnsOf } from '../../recognise/index.js'
import { conditionSql, join, type Sides, sideDiffersSql } from '../compile-condition.js'
import { keyColumns } from '../compile-encode.js'
import { isUnexplained, residueColumns } from '../compile-residue.js'
import { scopeOf } from '../recognition-scope.js'
import { assumedScope } from './assumed-scope.js'
import type { CaptureInput } from './capture-input.js'

/** What one expression finds out about a write, beside the bits of its events. */
export const CASE = {
  /** A column was added since the code was compiled. */
  moved: -1,
  /** Some command has announced a write. */
  announced: -2,
  deletes: -3,
  keyChanges: -4,
  /** Anything else that the one-event code can't do. */
  general: -5,
  /** Direct writes are refused. */
  refusing: -6,
  /** One announced event for a row that is stored as the command left it. */
  announcedOne: -7,
} as const

/** More events than these have no bits of their own: an update is then always a general one. */
const MOST_EVENTS = 28

export interface Mask {
  /** SQL (integer) that classifies a write. ONE expression: plpgsql sets each up anew in every transaction. */
  readonly sql: string
  /** Of the events that an update can mean: the values under which it means this one alone. */
  readonly alone: readonly { readonly n: number; readonly values: readonly number[] }[]
  /** The values under which it is but a `Changed`. */
  readonly changed: readonly number[]
}

/** The trigger of UPDATE and DELETE: `old` and `new` are rows of the table. */
export function classifyUpdate(input: CaptureInput, model: BoundModel, sides: Sides): Mask {
  const { later } = scopeOf(model, false, 'x')
  const keyDiffers = join(
    keyColumns(model).map((column) => `(${sideDiffersSql(column, sides)})`),
    'or',
    'false',
  )
  const head = `case
      when ${movedSql(input)} then ${CASE.moved}
      when ${ANNOUNCED} then ${CASE.announced}
      when tg_nargs = 3 then ${CASE.refusing}${movingCase(input)}
      when tg_op = 'DELETE' then ${CASE.deletes}
      when ${keyDiffers} then ${CASE.keyChanges}`
  if (later.length > MOST_EVENTS)
    return { sql: `${head}\n      else ${CASE.general} end`, alone: [], changed: [] }

  const residue = 2 ** later.length
  const stamp = residue * 2
  const conditions = later.map(({ event }) => conditionSql(event.condition, sides, columnNamed(model)))
  const bits = [
    ...conditions.map((condition, index) => bit(condition, 2 ** index)),
    bit(residueSql(model, sides, conditions), residue),
    bit(stampSql(model, sides), stamp),
  ].filter((sql) => sql !== '0')
  return {
    sql: `${head}\n      else ${bits.length === 0 ? '0' : bits.join('\n        | ')} end`,
    alone: later.map(({ n }, index) => ({ n, values: [2 ** index, 2 ** index + stamp] })),
    changed: [residue, stamp, residue + stamp],
  }
}

/** True where a column was added: its number is the next one. For 0.25 us it notices what no compiled name would. */
export function movedSql({ relid, natts }: CaptureInput): string {
  return `pg_catalog.pg_describe_object(1259, ${relid}, ${natts + 1}) is not null`
}

export const ANNOUNCED = `pg_catalog.current_setting('eventward.announced', true) <> ''`

/** SQL of a branch: a row is on its way to another partition, which general code sees to. */
export function movingCase({ partitioned }: CaptureInput): string {
  return partitioned
    ? `\n      when pg_catalog.current_setting('eventward.moving', true) <> '' then ${CASE.general}`
    : ''
}

/** Exact where at most one event is recognised; with more of them, the general code decides anyway. */
function residueSql(model: BoundModel, sides: Sides, conditions: readonly string[]): string {
  const none = assumedScope(model, { sides, event: null, now: 'pg_catalog.clock_timestamp()' })
  const set = new Set(none.later.flatMap(({ event }) => columnsOf(event)))
  const columns = residueColumns(none)
  const bare = columns
    .filter(({ name }) => !set.has(name))
    .map((column) => `(${sideDiffersSql(column, sides)})`)
  const explainable = columns.filter(({ name }) => set.has(name))
  const left = (scope: typeof none) =>
    join(
      explainable.map((column) => `(${isUnexplained(scope, column)})`),
      'or',
      'false',
    )
  const branches = none.later.map(
    (numbered, index) =>
      `when ${conditions[index]} then ${left(assumedScope(model, { sides, event: numbered, now: 'pg_catalog.clock_timestamp()' }))}`,
  )
  const cases =
    branches.length === 0 || explainable.length === 0
      ? left(none)
      : `(case ${branches.join(' ')} else ${left(none)} end)`
  return join([...bare, cases], 'or', 'false')
}

function stampSql(model: BoundModel, sides: Sides): string {
  const stamp = model.columns.find(({ name }) => name === model.updatedAt)
  return stamp === undefined ? 'false' : `(${sideDiffersSql(stamp, sides)})`
}

function bit(condition: string, value: number): string {
  return condition === 'false' ? '0' : `case when ${condition} then ${value} else 0 end`
}

export function columnNamed(model: BoundModel) {
  return scopeOf(model, false, 'x').columnNamed
}
