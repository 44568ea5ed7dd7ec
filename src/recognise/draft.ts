import { type BoundColumn, type EventShape, RESIDUE_MEMBER, type Row } from '../definition/index.js'
import { encodeText } from '../encode/index.js'
import { text } from './holds.js'
import type { Instant } from './recognised-event.js'
import { standsInResidue } from './residue-place.js'

/** An event being made: what it carries can still grow. */
export interface Draft {
  readonly shape: EventShape
  readonly time: Instant & { readonly inferred: boolean }
  /** Columns carried beyond the declared attributes. */
  readonly extra: readonly BoundColumn[]
}

/** The `data` of a draft as JSON text: declared attributes, further columns by their names, and `$residue`. */
export function dataOf(draft: Draft, columns: ReadonlyMap<string, BoundColumn>, after: Row): string {
  const { shape, extra } = draft
  const declared = shape.data.flatMap(({ attribute, column }) => {
    const bound = columns.get(column)
    return bound === undefined ? [] : [member(attribute, bound, after)]
  })
  const plain = extra.filter((column) => !standsInResidue(shape, column))
  const hidden = extra.filter((column) => standsInResidue(shape, column))
  const residue = object(hidden.map((column) => member(column.name, column, after)))
  return object([
    ...declared,
    ...plain.map((column) => member(column.name, column, after)),
    ...(hidden.length === 0 ? [] : [`${JSON.stringify(RESIDUE_MEMBER)}:${residue}`]),
  ])
}

function member(name: string, column: BoundColumn, after: Row): string {
  return `${JSON.stringify(name)}:${encodeText(column.encoding, text(after, column.name))}`
}

const object = (members: readonly string[]): string => `{${members.join(',')}}`
