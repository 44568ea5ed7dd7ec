import { shellWord } from '../../src/errors/index.js'
import type { Difference, VerifiedTable } from '../../src/verify/index.js'
import type { Output } from '../io.js'
import { differenceText } from './difference-text.js'
import { marks } from './marks.js'
import { count, plural } from './quantity.js'
import { table } from './table.js'

/** What verify found: a line per table, then each difference. */
export function verifyText(
  tables: readonly VerifiedTable[],
  differences: readonly Difference[],
  stream: Output,
): string {
  const mark = marks(stream)
  const rows = tables.map((one) => [
    `${one.clean ? mark.ok : mark.bad} ${one.table}`,
    one.engine,
    count(one.rows),
    count(one.streams),
    count(one.events),
    one.clean ? 'clean' : plural(one.differences, 'difference'),
    one.run,
  ])
  const notices = tables.flatMap(({ table: name, notice }) =>
    notice === undefined ? [] : [`! ${name}: ${notice}`],
  )
  const engines = tables.flatMap(({ table: name, engineBecause }) =>
    engineBecause === undefined ? [] : [`  ${name}: by replay alone, since ${engineBecause}`],
  )
  const moves = tables.flatMap(({ table: name, moved }) =>
    moved === undefined
      ? []
      : [
          `${mark.warn} ${name}: ${moved}; its events don't know. Run \`eventward adopt ${shellWord(name)}\`, then verify again`,
        ],
  )
  const total = tables.reduce((sum, { differences: found }) => sum + BigInt(found), 0n)
  const shown = differences.slice(0, SHOWN)
  const more = total - BigInt(shown.length)
  return [
    table(HEADS, rows),
    ...engines,
    ...notices,
    ...moves,
    ...shown.map((difference) => differenceText(difference, stream)),
    ...(more > 0n
      ? [
          `… and ${plural(more.toString(), 'more difference')} (--json tells ${count(String(differences.length))}); all are kept in eventward.mismatches`,
        ]
      : []),
  ].join('\n')
}

/** Beyond these, a person reads no further: what to do stands below. */
const SHOWN = 10

const HEADS = [
  { head: '  TABLE' },
  { head: 'ENGINE' },
  { head: 'ROWS', align: 'right' },
  { head: 'STREAMS', align: 'right' },
  { head: 'EVENTS', align: 'right' },
  { head: 'RESULT' },
  { head: 'RUN', align: 'right' },
] as const
