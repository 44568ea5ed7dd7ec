import type { Explained, Pattern } from '../../src/inspect/index.js'
import { count, percent, plural } from './quantity.js'
import { table } from './table.js'

/** How well a definition explains its table. Pure. */
export function explainText(explained: Explained): string {
  const { table: name, aggregate, rows, sample, share, patterns, otherRows, provenByReplay } = explained
  const head = `${name}: ${aggregate} explains ${percent(share)} of ${plural(rows, 'row')}${sample ? ' (a sample)' : ''} without a Changed`
  const code =
    provenByReplay === undefined
      ? []
      : [`${provenByReplay}: such events are given by commands alone, and verified by replay alone.`]
  if (patterns.length === 0) return [head, ...code].join('\n')
  const lines = patterns.map((pattern) => [count(pattern.rows), patternText(pattern)])
  const others = otherRows === '0' ? [] : [[count(otherRows), 'other patterns']]
  return [
    head,
    ...code,
    table([{ head: 'ROWS', align: 'right' }, { head: 'NO EVENT EXPLAINS' }], [...lines, ...others]),
    'These travel in a Changed event, so nothing is lost. Give them an event of their own where they mean something.',
  ].join('\n')
}

function patternText({ columns }: Pattern): string {
  return columns
    .map(({ column, is }) => {
      if (is === undefined) return column
      return is === null ? `${column} is NULL` : `${column} = ${JSON.stringify(is)}`
    })
    .join(', ')
}
