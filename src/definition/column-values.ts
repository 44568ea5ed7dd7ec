import { UsageError } from '../errors/index.js'
import type { ColumnDescription, Constant } from './model.js'
import { nearestName } from './nearest-name.js'

interface ConstantInColumn {
  readonly name: string
  readonly column: ColumnDescription
  readonly value: Constant
  /** Where it stands, for the message: `Subscription.Activated.set.status`. */
  readonly where: string
}

/** Whether a time can be read from the column: a timestamp with or without time zone, or a date. */
export function isTime(column: ColumnDescription): boolean {
  return /^(timestamp|timestamptz|date)(\(\d+\))?( with(out)? time zone)?$/.test(column.base ?? column.type)
}

/**
 * Refuses a constant that the column can't hold, as far as its description tells; the server has the last word when
 * the definition is bound.
 *
 * @throws UsageError EW_CONSTANT
 */
export function checkConstant({ name, column, value, where }: ConstantInColumn): void {
  if (value === null) {
    if (column.nullable) return
    throw new UsageError('EW_CONSTANT', `${where}: ${name} is NOT NULL, and null is no value of it`, {
      next: 'Give a value, or leave it out.',
      details: { column: name, type: column.type, value },
    })
  }
  const problem = kindProblem(column, value) ?? textProblem(column, value)
  if (problem === null) return
  throw new UsageError('EW_CONSTANT', `${where}: ${shown(value)} ${problem.what}`, {
    next: problem.next,
    details: { column: name, type: column.type, value: String(value) },
  })
}

interface Problem {
  readonly what: string
  readonly next: string
}

type Value = Exclude<Constant, null>
type Kind = 'integer' | 'number' | 'boolean' | 'string'

/** By `format_type`'s names and, for what is under a domain, `pg_type`'s. */
const KINDS: ReadonlyMap<string, Kind> = new Map([
  ...['smallint', 'integer', 'bigint', 'int2', 'int4', 'int8', 'oid'].map(
    (type) => [type, 'integer'] as const,
  ),
  ...['numeric', 'real', 'double precision', 'float4', 'float8'].map((type) => [type, 'number'] as const),
  ...['boolean', 'bool'].map((type) => [type, 'boolean'] as const),
])

/** Null for a type of another schema, of which nothing is known here: a domain, or an extension's. */
function kindOf({ type, base, values }: ColumnDescription): Kind | null {
  if (values !== undefined) return 'string'
  const known = base ?? type
  if (base === undefined && type.includes('.')) return null
  return KINDS.get(known.replace(/\(.*?\)/, '')) ?? 'string'
}

function kindProblem(column: ColumnDescription, value: Value): Problem | null {
  const kind = kindOf(column)
  if (kind !== null && !fits(kind, value)) {
    const next = kind === 'integer' ? 'a whole number' : `a ${kind}`
    return { what: `is no value of a ${column.type} column`, next: `Write it as ${next}.` }
  }
  if (typeof value !== 'number') return null
  if (!Number.isFinite(value)) {
    return { what: 'is not finite', next: "Write it as a string, such as 'NaN', where the column holds it." }
  }
  if (Object.is(value, -0)) return { what: 'would be written as 0', next: "Write it as the string '-0'." }
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return {
      what: 'is beyond what a number holds exactly',
      next: "Write it as a bigint or a string: 9007199254740993n, '9007199254740993'.",
    }
  }
  return null
}

function fits(kind: Kind, value: Value): boolean {
  switch (kind) {
    case 'integer':
      if (typeof value === 'string') return /^[+-]?\d+$/.test(value)
      // NaN and infinity are refused below, with a better reason.
      return (
        typeof value === 'bigint' ||
        Number.isInteger(value) ||
        (typeof value === 'number' && !Number.isFinite(value))
      )
    case 'number':
      if (typeof value === 'string') return NUMERAL.test(value)
      return typeof value === 'number' || typeof value === 'bigint'
    default:
      return typeof value === kind
  }
}

const NUMERAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$|^(nan|[+-]?inf(inity)?)$/i

function textProblem({ type, base, values }: ColumnDescription, value: Value): Problem | null {
  if (typeof value !== 'string') return null
  if (values !== undefined && !values.includes(value)) {
    const labels = values.map((label) => JSON.stringify(label)).join(', ')
    return { what: `is no label of ${type}`, next: `${nearestName(value, values)}Its labels: ${labels}.` }
  }
  if (/[\0\p{Cs}]/u.test(value)) {
    return { what: 'has a character that PostgreSQL can not store', next: 'Write it without.' }
  }
  // 'now' and its like are read anew each time: as a constant they would never mean the same twice.
  if (
    /^(date|time|timestamp)/.test(base ?? type) &&
    /^\s*(now|today|tomorrow|yesterday|allballs)\b/i.test(value)
  ) {
    return { what: 'means another time whenever it is read', next: 'Use occurredAt, or write the time out.' }
  }
  return null
}

function shown(value: Value): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
