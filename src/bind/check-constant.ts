import type { CatalogColumn } from '../catalog/index.js'
import type { Constant } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { builtInType } from './bound-columns.js'
import { nearestName } from './nearest-name.js'

/**
 * The text by which a constant is handed to the server, or null for SQL NULL. Refuses what can be refused without it.
 *
 * @throws UsageError EW_CONSTANT for a kind that the column does not take, a label that its enum has not, or a word
 *   such as 'now' that means something else each time.
 */
export function constantText({
  column,
  value,
  where,
}: {
  readonly column: CatalogColumn
  readonly value: Constant
  readonly where: string
}): string | null {
  if (value === null) return null
  const problem = kindProblem(column, value) ?? labelProblem(column, value)
  if (problem === null) return String(value)
  throw new UsageError('EW_CONSTANT', `${where}: ${shown(value)} ${problem.what}`, {
    next: problem.next,
    details: { column: column.name, type: column.type, value: String(value) },
  })
}

interface Problem {
  readonly what: string
  readonly next: string
}

const NUMBERS: ReadonlySet<string> = new Set(['int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'oid'])

function kindProblem(column: CatalogColumn, value: Exclude<Constant, null>): Problem | null {
  const type = builtInType(column)
  const wanted = NUMBERS.has(type) ? 'number' : type === 'bool' ? 'boolean' : 'string'
  const given = typeof value === 'bigint' ? 'number' : typeof value
  const numeral = wanted === 'number' && typeof value === 'string' && value.trim() !== ''
  if (given !== wanted && !numeral) {
    return { what: `is no value of a ${column.type} column`, next: `Write it as a ${wanted}.` }
  }
  if (typeof value !== 'number') return null
  if (!Number.isFinite(value)) {
    return { what: 'is not finite', next: "Write it as a string, such as 'NaN', where the column holds it." }
  }
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return { what: 'is beyond what a number holds exactly', next: 'Write it as a bigint: 9007199254740993n.' }
  }
  return null
}

function labelProblem(column: CatalogColumn, value: Exclude<Constant, null>): Problem | null {
  if (typeof value !== 'string') return null
  if (column.enumLabels !== null && !column.enumLabels.includes(value)) {
    const labels = column.enumLabels.map((label) => JSON.stringify(label)).join(', ')
    return {
      what: `is no label of ${column.type}`,
      next: `${nearestName(value, column.enumLabels)}Its labels: ${labels}.`,
    }
  }
  if (column.baseTypeCategory === 'D' && /^\s*(now|today|tomorrow|yesterday|allballs)\b/i.test(value)) {
    return { what: 'means another time whenever it is read', next: 'Use occurredAt, or write the time out.' }
  }
  return null
}

function shown(value: Exclude<Constant, null>): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
