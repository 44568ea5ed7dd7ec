import type { AggregateDefinition, StandardIssue, StandardSchemaV1 } from '../definition/index.js'
import { type AskTexts, attributeTexts } from './attribute-texts.js'
import type { Meaning } from './command-binding.js'
import { invalid, type Named } from './command-errors.js'
import type { KeyTexts } from './load-row.js'

/** The key's columns and all else, which is the schema's matter. */
export function splitInput({ table }: AggregateDefinition, input: unknown, named: Named) {
  if (typeof input !== 'object' || input === null) {
    throw invalid(named, [{ message: 'a command takes one object: its key and its attributes' }])
  }
  const entries = Object.entries(input)
  const isKey = ([name, value]: readonly [string, unknown]) =>
    table.key.includes(name) && value !== undefined && value !== null
  return {
    key: Object.fromEntries(entries.filter(isKey)),
    rest: Object.fromEntries(entries.filter(([name]) => !table.key.includes(name))),
  }
}

/** The texts of the key's columns, of those that were given. */
export async function keyTexts(
  ask: AskTexts,
  binding: Meaning,
  key: Readonly<Record<string, unknown>>,
  named: Named,
): Promise<KeyTexts> {
  const given = Object.entries(key).map(([column, value]) => ({ column, value }))
  const texts = await attributeTexts(ask, binding, given, named)
  return Object.fromEntries(given.map(({ column }, index) => [column, texts[index] ?? '']))
}

/** @throws UsageError EW_COMMAND_INVALID with all issues that the schema has. */
export async function validAttributes(
  attributes: StandardSchemaV1 | undefined,
  rest: object,
  named: Named,
): Promise<unknown> {
  if (attributes === undefined) {
    const unknown = Object.keys(rest)
    if (unknown.length === 0) return {}
    const issues: readonly StandardIssue[] = unknown.map((name) => ({
      message: 'is no attribute',
      path: [name],
    }))
    throw invalid(named, issues)
  }
  const result = await attributes['~standard'].validate(rest)
  if (result.issues !== undefined) throw invalid(named, result.issues.map(plainIssue))
  return result.value
}

/** Without all else that validators put into their issues: what they found, themselves. */
export function plainIssue({ message, path }: StandardIssue): StandardIssue {
  if (path === undefined) return { message }
  return { message, path: [...path].map((part) => (typeof part === 'object' ? part.key : part)) }
}
