import { UsageError } from '../errors/index.js'

/** A foreign key between two tables that are filled; tables by name. */
export interface Reference {
  readonly constraint: string
  readonly from: string
  readonly to: string
  /** The columns of `from`, and those of them that may be NULL. */
  readonly columns: readonly string[]
  readonly nullable: readonly string[]
}

export interface TableOrder {
  /** Each after those that it refers to. */
  readonly tables: readonly string[]
  /** References that no order satisfies: their columns are NULL first, and are set once all rows are there. */
  readonly later: readonly Reference[]
}

/**
 * An order in which rows can be written under their foreign keys. A circle (or a table that refers to itself) is broken
 * where a column of the key may be NULL. Pure.
 *
 * @throws UsageError EW_IMPORT_CIRCLE where none may
 */
export function tableOrder(tables: readonly string[], references: readonly Reference[]): TableOrder {
  const within = references.filter(({ from, to }) => tables.includes(from) && tables.includes(to))
  const later = within.filter(({ from, to }) => from === to)
  const stuck = later.find(({ nullable }) => nullable.length === 0)
  if (stuck !== undefined) throw circle([stuck])
  let open = within.filter(({ from, to }) => from !== to)
  let left = [...tables]
  const ordered: string[] = []
  while (left.length > 0) {
    const free = left.filter((table) => !open.some(({ from, to }) => from === table && left.includes(to)))
    if (free.length > 0) {
      ordered.push(...free)
      left = left.filter((table) => !free.includes(table))
      continue
    }
    const pending = open.filter(({ from, to }) => left.includes(from) && left.includes(to))
    const broken = pending.find(({ nullable }) => nullable.length > 0)
    if (broken === undefined) throw circle(inCircles(pending))
    later.push(broken)
    open = open.filter((reference) => reference !== broken)
  }
  return { tables: ordered, later }
}

/** Without those that only lead to a circle. */
function inCircles(references: readonly Reference[]): readonly Reference[] {
  const inner = references.filter(({ from }) => references.some(({ to }) => to === from))
  return inner.length === references.length ? references : inCircles(inner)
}

function circle(references: readonly Reference[]): UsageError {
  const names = references.map(({ from, to, constraint }) => `${from} -> ${to} (${constraint})`)
  return new UsageError(
    'EW_IMPORT_CIRCLE',
    `foreign keys in a circle, with no column that may be NULL: ${names.join(', ')}`,
    {
      next: 'Drop one of these constraints here for the import, and add it again afterwards.',
      details: { constraints: references.map(({ constraint }) => constraint) },
    },
  )
}
