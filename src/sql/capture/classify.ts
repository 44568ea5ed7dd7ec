import type { BoundColumn, BoundModel, Condition } from '../../definition/index.js'
import { conditionSql, join, type Sides, sideDiffersSql } from '../compile-condition.js'
import { keyColumns } from '../compile-encode.js'
import { anyResidue, isUnexplained, residueColumns } from '../compile-residue.js'
import { qualified } from '../ident.js'
import { type Numbered, type Scope, scopeOf } from '../recognition-scope.js'
import { assumedScope } from './assumed-scope.js'
import type { CaptureInput } from './capture-input.js'

/** What one expression finds out about a write, beside the bits of its events. */
export const CASE = {
  /** No event: nothing, or but a `Changed`. */
  none: 0,
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

const TIMESTAMPTZ = qualified('pg_catalog', 'timestamptz')

/** More events than these have no bits of their own: an update is then always a general one. */
const MOST_EVENTS = 28

export interface Mask {
  /** SQL (integer) that tells which events a write means. ONE expression: plpgsql sets each up anew in every transaction. */
  readonly sql: string
  /** Of the events that an update can mean: the value under which it means this one alone, but for what is left. */
  readonly alone: readonly { readonly n: number; readonly value: number }[]
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
  if (later.length > MOST_EVENTS) return { sql: `${head}\n      else ${CASE.general} end`, alone: [] }

  const bits = later.map(({ event }, index) =>
    bit(conditionSql(event.condition, sides, columnNamed(model)), 2 ** index),
  )
  return {
    sql: `${head}\n      else ${bits.length === 0 ? CASE.none : bits.join('\n        | ')} end`,
    alone: later.map(({ n }, index) => ({ n, value: 2 ** index })),
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

/** SQL of whether an update that no event tells changes anything: `updatedAt` counts. */
export function changesSql(model: BoundModel, sides: Sides): string {
  const scope = assumedScope(model, { sides, event: null, now: 'pg_catalog.clock_timestamp()' })
  const stamp = model.columns.find(({ name }) => name === model.updatedAt)
  const parts = [anyResidue(scope), stamp === undefined ? 'false' : `(${sideDiffersSql(stamp, sides)})`]
  return join(parts, 'or', 'false')
}

/**
 * SQL of whether an update means more than the event that the scope assumes, whose time is not NULL. What the event's own
 * condition has asked for already is not asked again.
 */
export function moreSql(scope: Scope, { event }: Numbered): string {
  const told = conjuncts(event.condition)
  const implied = ({ name, castType }: BoundColumn): boolean =>
    (event.bound[0] === name && castType === TIMESTAMPTZ) ||
    event.constants.some(
      ({ column, value }) =>
        column === name &&
        told.some((part) => part.op === 'afterIs' && part.column === name && part.value === value),
    )
  const parts = residueColumns(scope).filter((column) => !implied(column))
  return join(
    parts.map((column) => isUnexplained(scope, column)),
    'or',
    'false',
  )
}

/** What an update's condition asks for in any case. */
function conjuncts(condition: Condition): readonly Condition[] {
  if (condition.op === 'and') return condition.of.flatMap(conjuncts)
  if (condition.op !== 'or') return [condition]
  const [only, ...others] = condition.of.filter(({ op }) => op !== 'creating')
  return only === undefined || others.length > 0 ? [] : conjuncts(only)
}

function bit(condition: string, value: number): string {
  return condition === 'false' ? '0' : `case when ${condition} then ${value} else 0 end`
}

export function columnNamed(model: BoundModel) {
  return scopeOf(model, false, 'x').columnNamed
}
