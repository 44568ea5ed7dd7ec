import type { Condition, Row, Text } from '../definition/index.js'

/** Whether a condition holds for a write. Nothing before counts as a row of NULLs for `differs`, never for `beforeIs`. */
export function holds(condition: Condition, before: Row | null, after: Row): boolean {
  switch (condition.op) {
    case 'creating':
      return before === null
    case 'afterIs':
      return text(after, condition.column) === condition.value
    case 'beforeIs':
      return before !== null && text(before, condition.column) === condition.value
    case 'differs':
      return text(before, condition.column) !== text(after, condition.column)
    case 'and':
      return condition.of.every((part) => holds(part, before, after))
    case 'or':
      return condition.of.some((part) => holds(part, before, after))
    case 'not':
      return !holds(condition.of, before, after)
  }
}

/** A column's text; nothing has NULL everywhere. */
export function text(row: Row | null, column: string): Text {
  return row?.[column] ?? null
}
