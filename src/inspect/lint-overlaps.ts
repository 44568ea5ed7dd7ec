import type { BoundEvent, BoundModel, Condition, Row, Text } from '../definition/index.js'
import { columnsOf, holds, isRecognisable } from '../recognise/index.js'
import type { Said } from './lint-finding.js'

/**
 * Events that one write means together though they speak of the same column, or one of which is meant whenever another
 * is. Conditions are tried on every write that they could tell apart. Pure.
 */
export function lintOverlaps(model: BoundModel): readonly Said[] {
  const events = model.events.filter(isRecognisable)
  const changing = events.filter(({ effect }) => effect === 'changes')
  const creating = events.filter(({ effect }) => effect === 'creates')
  return [
    ...pairs(changing).flatMap(([a, b]) => overlapOf(a, b)),
    ...pairs(creating).flatMap(([a, b]) => shadowOf(a, b)),
  ]
}

function overlapOf(a: BoundEvent, b: BoundEvent): readonly Said[] {
  const seen = compare(a.condition, b.condition, false)
  if (seen === null || seen.both === 0) return []
  const shared = columnsOf(a).filter((column) => columnsOf(b).includes(column))
  const said = (message: string, event: string): readonly Said[] => [
    {
      level: 'warning',
      rule: 'overlap',
      event,
      message,
      next: 'Tell them apart with a `when`, or make one event of them.',
    },
  ]
  if (seen.onlyA === 0 && seen.onlyB === 0)
    return said(`a write means ${a.type} exactly where it means ${b.type}`, b.type)
  if (seen.onlyA === 0) return said(`each write that means ${a.type} means ${b.type} as well`, a.type)
  if (seen.onlyB === 0) return said(`each write that means ${b.type} means ${a.type} as well`, b.type)
  if (shared.length === 0) return []
  return said(
    `one write can mean both ${a.type} and ${b.type}, and both say what ${shared.join(', ')} is`,
    b.type,
  )
}

/** The first creating event that holds is taken. */
function shadowOf(a: BoundEvent, b: BoundEvent): readonly Said[] {
  const seen = compare(a.condition, b.condition, true)
  if (seen === null || seen.onlyB > 0 || seen.both === 0) return []
  return [
    {
      level: 'warning',
      rule: 'shadowed',
      event: b.type,
      message: `no row is taken to begin with ${b.type}: ${a.type}, declared before it, holds wherever it does`,
      next: `Declare ${b.type} first, or give ${a.type} a \`when\`. (Commands can give it all the same.)`,
    },
  ]
}

interface Seen {
  both: number
  onlyA: number
  onlyB: number
}

/** More writes than these are not tried: null. */
const MOST_WRITES = 100_000

function compare(a: Condition, b: Condition, creation: boolean): Seen | null {
  const domains = domainsOf(a, b)
  const columns = [...domains]
  const sides = creation ? 1 : 2
  const writes = columns.reduce((product, [, values]) => product * values.length ** sides, 1)
  if (writes > MOST_WRITES) return null
  const seen: Seen = { both: 0, onlyA: 0, onlyB: 0 }
  for (const after of rows(columns)) {
    for (const before of creation ? [null] : rows(columns)) {
      const [isA, isB] = [holds(a, before, after), holds(b, before, after)]
      if (isA && isB) seen.both += 1
      else if (isA) seen.onlyA += 1
      else if (isB) seen.onlyB += 1
    }
  }
  return seen
}

/** What the conditions can tell apart: the values that they name, NULL, and two others that they don't. */
function domainsOf(...conditions: readonly Condition[]): ReadonlyMap<string, readonly Text[]> {
  const named = new Map<string, Set<Text>>()
  const visit = (condition: Condition): void => {
    if (condition.op === 'and' || condition.op === 'or') condition.of.forEach(visit)
    else if (condition.op === 'not') visit(condition.of)
    else if (condition.op !== 'creating') {
      const values = named.get(condition.column) ?? new Set<Text>([null, '\0one', '\0other'])
      if ('value' in condition) values.add(condition.value)
      named.set(condition.column, values)
    }
  }
  conditions.forEach(visit)
  return new Map([...named].map(([column, values]) => [column, [...values]]))
}

function* rows(columns: readonly (readonly [string, readonly Text[]])[]): Generator<Row> {
  const [first, ...others] = columns
  if (first === undefined) {
    yield {}
    return
  }
  const [name, values] = first
  for (const rest of rows(others)) for (const value of values) yield { ...rest, [name]: value }
}

function pairs<T>(all: readonly T[]): readonly (readonly [T, T])[] {
  return all.flatMap((a, index) => all.slice(index + 1).map((b) => [a, b] as const))
}
