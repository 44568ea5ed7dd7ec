import { diffString } from 'json-diff'
import type { Difference } from '../../src/verify/index.js'
import type { Output } from '../io.js'
import { marks } from './marks.js'

/**
 * One difference: the key, what is wrong, and the columns by json-diff on canonical texts (as strings, so that 1.1 and
 * 1.10 differ), `-` the row and `+` the events; then the event that set each.
 */
export function differenceText(difference: Difference, stream: Output): string {
  const { table, key, kind, columns, message } = difference
  const mark = marks(stream)
  const shown = columns.filter(({ row, events }) => row !== undefined || events !== undefined)
  const hidden = columns.filter((column) => !shown.includes(column)).map(({ column }) => column)
  const side = (pick: 'row' | 'events') =>
    Object.fromEntries(shown.map((column) => [column.column, column[pick] ?? null]))
  const setBy = columns.flatMap(({ column, setBy: by }) =>
    by === null
      ? []
      : [
          `  ${column} was last set by ${by.type} v${by.version}${by.source === null ? '' : ` (${by.source}${by.writer === null ? '' : `, ${by.writer}`})`}`,
        ],
  )
  return [
    `${mark.bad} ${table} ${mark.bold(key)}: ${KINDS[kind]}${message === undefined ? '' : `: ${message}`}`,
    ...(shown.length === 0
      ? []
      : [indent(diffString(side('row'), side('events'), { color: stream.isTTY === true }))]),
    ...(hidden.length === 0 ? [] : [`  ${hidden.join(', ')}`]),
    ...setBy,
  ].join('\n')
}

const KINDS: Readonly<Record<Difference['kind'], string>> = {
  row_differs: 'row ≠ events',
  missing_stream: 'a row without events',
  missing_row: 'events without their row, and no event that removed it',
  dead_stream: 'the row is there, its events end in nothing',
  version_gap: 'versions are not 1, 2, 3, ...: an event is missing',
  unknown_event: 'an event that no definition knows',
  not_created: 'a change or a removal of a row that was never created',
  created_twice: 'a creation of a row that was there already',
  unreadable: 'a value that can not be read',
}

/** Without json-diff's braces: the lines alone. */
function indent(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s*[{}]\s*$/.test(line))
    .map((line) => `  ${line.trimEnd()}`)
    .join('\n')
}
