import { shellWord } from '../../src/errors/index.js'
import type { TableStatus } from '../../src/inspect/index.js'
import type { Output } from '../io.js'
import { marks } from './marks.js'
import { count, duration, percent } from './quantity.js'
import { table } from './table.js'

/** Every table on one screen; a problem stands out by its sign and in words, those with one come first. */
export function statusText(tables: readonly TableStatus[], stream: Output): string {
  const mark = marks(stream)
  const rows = tables.map((one) => [
    `${signOf(one, mark)} ${one.table}`,
    one.phase,
    one.capture,
    backfillText(one),
    verifyText(one),
    percent(one.residueShare),
    count(one.openDifferences),
    one.reads,
    one.next,
  ])
  const back = tables.filter(({ phase }) => phase === 'event_first')
  return [
    table(HEADS, rows),
    ...tables.flatMap((one) =>
      one.problems.map(({ what, next }) => `problem   ${one.table}: ${what} → ${next}`),
    ),
    ...tables.flatMap(({ table: name, provenByReplay }) =>
      provenByReplay === undefined
        ? []
        : [
            `replay    ${name}: verified by replay alone, since code says what ${provenByReplay.join(', ')} does`,
          ],
    ),
    ...back.map((one) => `way back  eventward cutover ${shellWord(one.table)} rollback`),
  ].join('\n')
}

const HEADS = [
  { head: '  TABLE' },
  { head: 'PHASE' },
  { head: 'CAPTURE' },
  { head: 'BACKFILL' },
  { head: 'VERIFIED' },
  { head: 'RESIDUE', align: 'right' },
  { head: 'OPEN', align: 'right' },
  { head: 'READS' },
  { head: 'NEXT' },
] as const

function signOf(
  { problems, capture, backfill, verify, provenBy }: TableStatus,
  mark: ReturnType<typeof marks>,
): string {
  if (problems.length > 0 || verify?.clean === false) return mark.bad
  if (backfill?.complete === true && verify?.clean === true && BigInt(verify.run) > BigInt(backfill.run)) {
    return capture === 'off' || provenBy !== null ? mark.ok : '~'
  }
  return backfill === null && capture === 'off' ? mark.none : '~'
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
