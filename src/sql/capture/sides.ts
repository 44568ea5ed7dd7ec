import type { BoundColumn } from '../../definition/index.js'
import type { Sides } from '../compile-condition.js'
import { ident } from '../ident.js'
import { literal } from '../literal.js'

type Row = 'old' | 'new'

/** A column of a trigger's row. */
export const field = (row: Row) => (column: BoundColumn) => `${row}.${ident(column.name)}`

/** An update as a trigger sees it. */
export const UPDATE: Sides = { before: field('old'), after: field('new') }

/** A row that is created. */
export const created = (row: Row): Sides => ({ before: null, after: field(row) })

/** Images read by name (`eventward.image`), in the variables `before_image` and `after_image`: texts. */
export function imageSides(creation: boolean): Sides {
  const text = (image: string) => (column: BoundColumn) => `(${image} -> 't' ->> ${literal(column.name)})`
  return {
    before: creation ? null : text('before_image'),
    after: text('after_image'),
    member: (column) => `(after_image -> 'e' -> ${literal(column.name)})`,
    typed: (column) =>
      column.temporal === null
        ? 'null::pg_catalog.timestamptz'
        : `eventward.try_${column.temporal}(after_image -> 't' ->> ${literal(column.name)})`,
  }
}
