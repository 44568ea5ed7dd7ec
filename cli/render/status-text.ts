import { shellWord } from '../../src/errors/index.js'
import type { TableStatus } from '../../src/inspect/index.js'
import type { Output } from '../io.js'
import { marks } from './marks.js'
import { count, duration, percent } from './quantity.js'
import { table } from './table.js'

/** Every table on one screen; a problem stands out by its sign and in words. */
export function statusText(tables: readonly TableStatus[], stream: Output): string {
  const mark = marks(stream)
  const rows = tables.map((one) => [
    `${signOf(one, mark)} ${one.table}`,
    one.phase,
    backfillText(one),
    verifyText(one),
    percent(one.residueShare),
    count(one.openDifferences),
    one.reads,
    one.next,
  ])
  const open = tables.filter(({ openDifferences }) => openDifferences !== null && openDifferences !== '0')
  return [
    table(HEADS, rows),
    ...open.map(
      (one) =>
        `problem   ${one.table}: ${count(one.openDifferences)} open differences → eventward verify ${shellWord(one.table)} --open`,
    ),
  ].join('\n')
}

const HEADS = [
  { head: '  TABLE' },
  { head: 'PHASE' },
  { head: 'BACKFILL' },
  { head: 'VERIFIED' },
  { head: 'RESIDUE', align: 'right' },
  { head: 'OPEN', align: 'right' },
  { head: 'READS' },
  { head: 'NEXT' },
] as const

function signOf({ backfill, verify, openDifferences }: TableStatus, mark: ReturnType<typeof marks>): string {
  if ((openDifferences ?? '0') !== '0' || verify?.clean === false) return mark.bad
  if (backfill?.complete === true && verify?.clean === true && BigInt(verify.run) > BigInt(backfill.run)) {
    return mark.ok
  }
  return backfill === null ? mark.none : '~'
}

function backfillText({ backfill }: TableStatus): string {
  if (backfill === null) return '–'
  if (backfill.complete) return '100%'
  return `${backfill.percent === null ? '–' : `≈${backfill.percent}%`} ${backfill.state}`
}

function verifyText({ verify }: TableStatus): string {
  if (verify === null) return '–'
  return `${verify.clean ? 'clean' : 'failed'} ${duration(verify.ageSeconds)} ago`
}
