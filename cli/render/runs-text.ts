import type { Receipt } from '../../src/inspect/index.js'
import { duration } from './quantity.js'
import { table } from './table.js'

/** Receipts, a line each. Pure. */
export function runsText(runs: readonly Receipt[]): string {
  if (runs.length === 0) return 'nothing was run yet'
  const rows = runs.map((run) => [
    run.id,
    run.command,
    run.table ?? '–',
    run.state,
    run.startedAt.replace(/\.\d+/, '').replace('+00', 'Z'),
    run.seconds === null ? '–' : duration(run.seconds),
    `${run.osUser ?? '–'}@${run.host ?? '–'}`,
  ])
  return table(HEADS, rows)
}

/** One receipt, in full. Pure. */
export function runText(run: Receipt): string {
  const cells = Object.entries(run).map(([name, value]) => [name, shown(value)])
  return table([{ head: 'RUN' }, { head: run.id }], cells)
}

const HEADS = [
  { head: 'RUN', align: 'right' },
  { head: 'COMMAND' },
  { head: 'TABLE' },
  { head: 'STATE' },
  { head: 'STARTED' },
  { head: 'TOOK' },
  { head: 'BY' },
] as const

function shown(value: unknown): string {
  if (value === null) return '–'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
