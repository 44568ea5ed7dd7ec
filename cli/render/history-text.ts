import type { ColumnChange, History, HistoryEntry } from '../../src/inspect/index.js'
import { table } from './table.js'

/** The audit log of one row. Pure. */
export function historyText({ aggregate, id, entries }: History): string {
  const rows = entries.map((entry) => [
    String(entry.version),
    `${shortTime(entry.occurredAt)}${entry.inferred ? '~' : ''}`,
    `${entry.type}${entry.residue ? '!' : ''}`,
    entry.changed.map(changeText).join(', ') || '–',
    whoText(entry),
  ])
  const legend = [
    ...(entries.some(({ inferred }) => inferred) ? ['~ inferred time'] : []),
    ...(entries.some(({ residue }) => residue) ? ['! what no event of the definition explains'] : []),
  ]
  return [
    table(
      [
        { head: 'V', align: 'right' },
        { head: 'OCCURRED' },
        { head: 'EVENT' },
        { head: 'CHANGED' },
        { head: 'WHO' },
      ],
      rows,
    ),
    ...(legend.length === 0 ? [] : [legend.join(' · ')]),
    `eventward show ${aggregate} ${shellText(id)} --at ${Math.max(1, (entries.at(-1)?.version ?? 1) - 1)}`,
  ].join('\n')
}

/** A column that had no value shows its new one alone. */
function changeText({ column, before, after }: ColumnChange): string {
  if (before === null) return `${column} ${after}`
  return `${column} ${before} → ${after ?? 'NULL'}`
}

function whoText({ metadata }: HistoryEntry): string {
  const { source = '–', run, user, application_name: application } = metadata
  const who = user ?? application
  return [source, ...(run === undefined ? [] : [`run ${run}`]), ...(who === undefined ? [] : [who])].join(' ')
}

/** UTC, said by a Z. */
function shortTime(text: string): string {
  return text.replace('+00', 'Z')
}

function shellText(text: string): string {
  return /^[\w.:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
