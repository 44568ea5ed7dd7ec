import type { BoundColumn, Condition } from '../definition/index.js'
import { differsSql, hasTextSql, isPresent } from './compile-encode.js'

/** How the columns of a write's two rows are written in SQL; `before` is null on a creation. */
export interface Sides {
  readonly before: ((column: BoundColumn) => string) | null
  readonly after: (column: BoundColumn) => string
  /** What an event holds of the row after, where that can't be made from `after`: SQL of jsonb. */
  readonly member?: (column: BoundColumn) => string
  /** A bound column of the row after in its temporal type, where `after` gives its text. */
  readonly typed?: (column: BoundColumn) => string
}

/** SQL of whether a condition holds for a write: never NULL. The twin of `holds`. */
export function conditionSql(
  condition: Condition,
  sides: Sides,
  columnNamed: (name: string) => BoundColumn,
): string {
  const nested = (of: readonly Condition[]) => of.map((part) => conditionSql(part, sides, columnNamed))
  switch (condition.op) {
    case 'creating':
      return sides.before === null ? 'true' : 'false'
    case 'afterIs': {
      const column = columnNamed(condition.column)
      return `(${hasTextSql(column, sides.after(column), condition.value)})`
    }
    case 'beforeIs': {
      const column = columnNamed(condition.column)
      return sides.before === null
        ? 'false'
        : `(${hasTextSql(column, sides.before(column), condition.value)})`
    }
    case 'differs':
      return `(${sideDiffersSql(columnNamed(condition.column), sides)})`
    case 'and':
      return join(nested(condition.of), 'and', 'true')
    case 'or':
      return join(nested(condition.of), 'or', 'false')
    case 'not':
      return `(not ${conditionSql(condition.of, sides, columnNamed)})`
  }
}

/** SQL of whether a write changes a column; nothing before counts as NULL. */
export function sideDiffersSql(column: BoundColumn, sides: Sides): string {
  const after = sides.after(column)
  return sides.before === null ? isPresent(column, after) : differsSql(column, sides.before(column), after)
}

/** SQL of all of these (`and`) or any of these (`or`), constants folded away. */
export function join(parts: readonly string[], operator: 'and' | 'or', none: 'true' | 'false'): string {
  const rest = parts.filter((part) => part !== none)
  const decided = none === 'true' ? 'false' : 'true'
  if (rest.includes(decided)) return decided
  if (rest.length === 0) return none
  return rest.length === 1 ? `${rest[0]}` : `(${rest.join(` ${operator} `)})`
}
