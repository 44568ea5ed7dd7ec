import { shellWord } from '../../src/errors/index.js'
import type { ColumnChange, History, HistoryEntry, HistoryHead } from '../../src/inspect/index.js'
import { plural } from './quantity.js'

/** The audit log of one row. Pure. */
export function historyText({ entries, ...head }: History): string {
  return [historyHeadText(head), ...entries.map(historyEntryText), historyEndText(head)].join('\n\n')
}

/** What stands above the events. */
export function historyHeadText({ aggregate, table, id, lastVersion }: HistoryHead): string {
  return `${aggregate} ${id} · ${table} · ${plural(lastVersion, 'event')}`
}

/** What stands below them: how to look at the row as it was. */
export function historyEndText({ aggregate, id, lastVersion }: HistoryHead): string {
  return `eventward show ${aggregate} ${shellWord(id)} --at ${Math.max(1, lastVersion - 1)}`
}

/** One event: what it changed, then who wrote it and why. */
export function historyEntryText(entry: HistoryEntry): string {
  const head = [
    `v${entry.version}`,
    `${entry.residue ? '! ' : ''}${entry.type}`,
    `${shortTime(entry.occurredAt)}${entry.inferred ? ' (inferred)' : ''}`,
  ]
  const lines = [
    ...entry.changed.map((change) => [change.column, changeText(change)] as const),
    ...(entry.changed.length === 0 ? [['–', 'changed nothing'] as const] : []),
    ['who', whoText(entry)] as const,
    ...list('why', whyTexts(entry)),
    ['recorded', shortTime(entry.recordedAt)] as const,
    ...(entry.readAs ?? []).map(({ type, schemaVersion, data }) => {
      return ['read as', `${type}@${schemaVersion} ${data}`] as const
    }),
  ]
  const width = Math.max(...lines.map(([name]) => name.length))
  return [head.join('  '), ...lines.map(([name, text]) => `    ${name.padEnd(width)}  ${text}`)].join('\n')
}

/** A column that had no value shows its new one alone. */
function changeText({ before, after }: ColumnChange): string {
  if (before === null) return oneLine(after ?? 'NULL')
  return `${oneLine(before)} → ${oneLine(after ?? 'NULL')}`
}

/** A value with lines of its own would look like further columns. */
function oneLine(text: string): string {
  return /\p{Cc}/u.test(text) ? JSON.stringify(text) : text
}

function whoText({ who, source, reconstructed }: HistoryEntry): string {
  const writer = [
    ...(source === null ? [] : [source]),
    ...(who.run === null ? [] : [`run ${who.run}`]),
    ...(who.user === null ? [] : [`as ${who.user}`]),
  ].join(' ')
  const parts = [
    who.actor,
    writer,
    who.app,
    reconstructed ? 'worked out from the row, as it was found' : null,
  ]
  return parts.flatMap((part) => (part === null || part === '' ? [] : [oneLine(part)])).join(' · ') || '–'
}

function whyTexts({ residue, undeclared, facts, why }: HistoryEntry): readonly string[] {
  const said = (name: string, text: string | null) => (text === null ? [] : [`${name} ${oneLine(text)}`])
  return [
    ...(residue ? ['no event of the definition explains it'] : []),
    ...(undeclared.length > 0 ? [`! carries ${undeclared.join(', ')} undeclared`] : []),
    ...Object.entries(facts).map(([name, json]) => `${name} ${json}`),
    ...said('command', why.command),
    ...said('request', why.request),
    ...said('caused by', why.causation),
    ...said('correlation', why.correlation),
  ]
}

function list(name: string, texts: readonly string[]): readonly (readonly [string, string])[] {
  return texts.length === 0 ? [] : [[name, texts.join(' · ')]]
}

/** UTC, said by a Z. */
function shortTime(text: string): string {
  return text.replace('+00', 'Z')
}
