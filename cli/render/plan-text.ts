import type { PlannedTable } from '../../src/inspect/index.js'
import type { Output } from '../io.js'
import { marks } from './marks.js'
import { bytes, count } from './quantity.js'
import { table } from './table.js'

/** What to expect, table by table; then what to know about each. */
export function planText(tables: readonly PlannedTable[], stream: Output): string {
  const mark = marks(stream)
  const rows = tables.map((one) => [
    `${one.supported ? (one.aggregate === null ? mark.none : mark.ok) : mark.bad} ${one.table}`,
    count(one.rows, one.estimate),
    count(one.events, one.estimate),
    count(one.chunks, one.estimate),
    one.diskBytes === null ? '–' : `≈${bytes(one.diskBytes)}`,
    one.next,
  ])
  const notes = tables.flatMap((one) => [
    ...one.reasons.map(({ message, next }) => `${mark.bad} stop    ${one.table} ${message}. ${next}`),
    ...one.warnings.map((warning) => `${mark.warn} warn    ${one.table}: ${warning}`),
  ])
  const locks = [...new Set(tables.flatMap((one) => one.locks))].map((lock) => `locks     ${lock}`)
  return [table(HEADS, rows), ...notes, ...locks, 'nothing was written (READ ONLY transactions)'].join('\n')
}

const HEADS = [
  { head: '  TABLE' },
  { head: 'ROWS', align: 'right' },
  { head: 'EVENTS', align: 'right' },
  { head: 'CHUNKS', align: 'right' },
  { head: 'DISK', align: 'right' },
  { head: 'NEXT' },
] as const
