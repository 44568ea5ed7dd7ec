import { createHash } from 'node:crypto'
import type { BoundEvent, BoundModel, Condition } from '../definition/index.js'

/** All that gives a definition its meaning. The columns of the live table have no part in it. */
export type DefinitionMeaning = Omit<BoundModel, 'columns' | 'shapes' | 'hash'>

/**
 * SHA-256 (hex) of a bound definition's canonical JSON. The order in which properties, carried columns, facts,
 * constants and operands are written doesn't count; the order of events and of bound columns does.
 */
export function definitionHash(meaning: DefinitionMeaning): string {
  const { name, schema, table, key, updatedAt, timeZone, residue } = meaning
  const events = meaning.events.map(canonicalEvent)
  const canonical = canonicalJson({ name, schema, table, key, events, updatedAt, timeZone, residue })
  return createHash('sha256').update(canonical).digest('hex')
}

function canonicalEvent(event: BoundEvent): unknown {
  return {
    ...event,
    data: sorted(event.data),
    facts: sorted(event.facts),
    constants: sorted(event.constants),
    condition: canonicalCondition(event.condition),
  }
}

function canonicalCondition(condition: Condition): unknown {
  switch (condition.op) {
    case 'and':
    case 'or':
      return { op: condition.op, of: sorted(condition.of.map(canonicalCondition)) }
    case 'not':
      return { op: 'not', of: canonicalCondition(condition.of) }
    default:
      return condition
  }
}

function sorted(members: readonly unknown[]): readonly unknown[] {
  return members
    .map((member) => [canonicalJson(member), member] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, member]) => member)
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`
}
