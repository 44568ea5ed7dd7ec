import type { AdoptedColumn, AdoptResult } from '../../src/adopt/index.js'
import type { Output } from '../io.js'
import { marks } from './marks.js'

/** What moved, what was made of it, and what must follow. */
export function adoptText(result: AdoptResult, stream: Output): string {
  const mark = marks(stream)
  const { table, columns, capture, lockedMs, dryRun, notices, next } = result
  const head =
    columns.length === 0
      ? `${mark.ok} ${table}: nothing to adopt, its events know these columns`
      : `${dryRun ? mark.none : mark.ok} ${table}: ${dryRun ? 'would adopt' : 'adopted'}`
  const captured =
    capture === 'replaced'
      ? [`  capture is on for the columns as they are (locked ${Math.round(lockedMs ?? 0)} ms)`]
      : []
  const follow =
    columns.length === 0
      ? []
      : [dryRun ? `  nothing was changed. Next: ${next}` : `  a full verify must follow: ${next}`]
  const notes = notices.map((notice) => `  ${mark.warn} ${notice}`)
  return [head, ...columns.map((column) => `  ${columnText(column)}`), ...captured, ...notes, ...follow].join(
    '\n',
  )
}

function columnText({ kind, column, before, after }: AdoptedColumn): string {
  switch (kind) {
    case 'added':
      return `${column} added: rows that were there have ${after === null ? 'NULL' : JSON.stringify(after)}`
    case 'renamed':
      return `${before} renamed ${after}`
    case 'dropped':
      return `${column} dropped: what events say of it is nobody's`
    case 'retyped':
      return `${column} retyped: ${before} → ${after}`
  }
}
