import type {
  Condition,
  Constant,
  EventDefinition,
  EventShape,
  Predicate,
  Text,
} from '../definition/index.js'

/** Gives a constant's canonical text in a column. */
export type CanonicalText = (column: string, value: Constant) => Text

/**
 * The condition under which a write means an event: its `when`, lowered, or what its `set` and `data` say. One that
 * creates is asked on a creation only; of several, the first that holds is taken.
 */
export function eventCondition(
  event: EventDefinition,
  shape: EventShape,
  canonical: CanonicalText,
): Condition {
  // What an event does in code no trigger can tell of a row: it's never recognised.
  if (event.apply !== undefined) return NEVER
  const stated = event.when === null ? impliedCondition(shape) : lowerPredicate(event.when, canonical)
  return event.creates ? and([CREATING, stated]) : stated
}

/** Lowers a predicate to the small core: what is after, what was before, what differs. */
export function lowerPredicate(predicate: Predicate, canonical: CanonicalText): Condition {
  switch (predicate.op) {
    case 'is':
      return afterIs(predicate.column, canonical(predicate.column, predicate.value))
    case 'was':
      return beforeIs(predicate.column, canonical(predicate.column, predicate.value))
    case 'becomes': {
      const value = canonical(predicate.column, predicate.value)
      return and([afterIs(predicate.column, value), not(beforeIs(predicate.column, value))])
    }
    case 'becameNotNull':
      return and([not(afterIs(predicate.column, null)), or([CREATING, beforeIs(predicate.column, null)])])
    case 'changes':
      return differs(predicate.column)
    case 'and':
      return and(predicate.of.map((part) => lowerPredicate(part, canonical)))
    case 'or':
      return or(predicate.of.map((part) => lowerPredicate(part, canonical)))
    case 'not':
      return not(lowerPredicate(predicate.of, canonical))
  }
}

/**
 * Without a `when`. Bound: on creation the column is non-null; on an update it became non-null or changed, and the
 * constants hold after: correcting a date on an inactive row activates nothing. Constants: they hold after and did not
 * all hold before. Only data: on an update one of its columns changed. Facts alone: only a command can mean it.
 */
function impliedCondition(shape: EventShape): Condition {
  const after = and(shape.constants.map(({ column, value }) => afterIs(column, value)))
  const [trigger] = shape.bound
  if (trigger !== undefined) {
    return and([not(afterIs(trigger, null)), differs(trigger), or([CREATING, after])])
  }
  if (shape.constants.length > 0) {
    return and([after, not(and(shape.constants.map(({ column, value }) => beforeIs(column, value))))])
  }
  if (shape.effect === 'creates') return and([])
  return and([not(CREATING), or(shape.data.map(({ column }) => differs(column)))])
}

const CREATING: Condition = { op: 'creating' }
const NEVER: Condition = { op: 'or', of: [] }
const afterIs = (column: string, value: Text): Condition => ({ op: 'afterIs', column, value })
const beforeIs = (column: string, value: Text): Condition => ({ op: 'beforeIs', column, value })
const differs = (column: string): Condition => ({ op: 'differs', column })
const and = (of: readonly Condition[]): Condition => ({ op: 'and', of })
const or = (of: readonly Condition[]): Condition => ({ op: 'or', of })
const not = (of: Condition): Condition => ({ op: 'not', of })
