import type { BackfillResult } from '../../src/backfill/index.js'
import { count } from './quantity.js'
import { table } from './table.js'

/** What became of each table. Pure. */
export function backfillText(tables: readonly BackfillResult[], next: string): string {
  const rows = tables.map((one) => [
    `${one.complete || one.dryRun ? '✓' : '✗'} ${one.table}`,
    count(one.rows),
    count(one.streams),
    count(one.events),
    count(one.alreadyThere),
    one.dryRun ? 'dry run' : `${one.complete ? 'complete' : 'not complete'}${one.resumed ? ', resumed' : ''}`,
    one.run ?? '–',
  ])
  const left = tables.flatMap((one) =>
    one.left.map(
      ({ key, error }) =>
        `✗ ${one.table} ${key}: ${error === null ? 'not taken' : `${error.message}${error.sqlstate === null ? '' : ` (SQLSTATE ${error.sqlstate})`}`}`,
    ),
  )
  const loose = tables.filter(({ dryRun, capture }) => !dryRun && capture === 'off')
  const names = loose.map((one) => one.table).join(', ')
  const uncaptured =
    loose.length === 0
      ? []
      : [`! ${names}: what is written meanwhile is not captured: a first look, or a rehearsal on a copy`]
  return [table(HEADS, rows), ...left, ...uncaptured, `next: ${next}`].join('\n')
}

const HEADS = [
  { head: '  TABLE' },
  { head: 'ROWS', align: 'right' },
  { head: 'STREAMS', align: 'right' },
  { head: 'EVENTS', align: 'right' },
  { head: 'THERE ALREADY', align: 'right' },
  { head: 'STATE' },
  { head: 'RUN', align: 'right' },
] as const
