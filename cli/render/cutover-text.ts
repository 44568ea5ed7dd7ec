import type { CutoverProgress, CutoverResult, GateCheck } from '../../src/cutover/index.js'
import { shellWord } from '../../src/errors/index.js'
import { count, plural } from './quantity.js'

/** What became of a step, or where a table stands. Pure. */
export function cutoverText(result: CutoverResult): string {
  if (result.action === 'status') return statusText(result)
  if (!result.ok && result.lockedMs === null) return refusedText(result)
  return doneText(result)
}

/** One line while it goes on. Pure. */
export function cutoverProgressText(progress: CutoverProgress): string {
  switch (progress.kind) {
    case 'gave_up': {
      const next = progress.nextInMs === null ? '' : `; next in ${seconds(progress.nextInMs)}`
      return ` try ${progress.try}  gave up after ${seconds(progress.afterMs)} ${progress.why}${next}`
    }
    case 'verified':
      return ` ${plural(progress.streams, 'changed stream')} re-verified clean (${plural(progress.events, 'event')})`
    case 'locked':
      return ` try ${progress.try}  locked ${ms(progress.lockedMs)} · ${plural(progress.streams, 'changed stream')} re-verified under it · released`
  }
}

function statusText({ table, to, since, gate }: CutoverResult): string {
  const head = `${table}  ${to}${since === null ? '' : ` since ${instant(since)}`}`
  if (gate.length === 0) return head
  const next = gate.every(({ ok }) => ok) ? [`next: ${step(table, to)}`] : []
  const back = to === 'event_first' ? wayBack(table) : []
  return [head, ...gate.map(line), ...next, ...back].join('\n')
}

function refusedText({ gate, differences, to }: CutoverResult): string {
  if (differences.length > 0) {
    const listed = differences.slice(0, 10).map(({ key, kind }) => ` ✗ ${key}  ${kind.replaceAll('_', ' ')}`)
    return [`✗ refused: still ${to}; what was written since the last verify differs`, ...listed].join('\n')
  }
  return ['✗ refused: nothing changed, no lock taken', ...gate.map(line)].join('\n')
}

function doneText(result: CutoverResult): string {
  const { action, table, from, to, since, lockedMs, reverified, run, longestWaitMs } = result
  if (action === 'rehearse')
    return `✓ rehearsed: there and back in ${ms(lockedMs)}, rolled back · still ${to}${runOf(run)}`
  if (from === to) return `✓ ${to} already${since === null ? '' : `, since ${instant(since)}`}; nothing to do`
  if (action === 'rollback') {
    const kept =
      reverified === null
        ? 'all events kept; no full verify stands, so nothing was compared'
        : `${plural(reverified.events, 'event')} kept; ${count(String(reverified.streams - result.differences.length))} of ${plural(reverified.streams, 'touched row')} equal their fold`
    return `${result.ok ? '✓' : '!'} dual_write again · ${ms(lockedMs)} · ${kept}${runOf(run)}`
  }
  const head = `✓ ${to} since ${since === null ? '–' : instant(since)}${runOf(run)} · longest wait of a writer ${seconds(longestWaitMs)}`
  return [head, ...(to === 'event_first' ? wayBack(table) : [])].join('\n')
}

function wayBack(table: string): readonly string[] {
  const quoted = table.replaceAll("'", "''")
  return [
    `way back: eventward cutover ${shellWord(table)} rollback`,
    `  without Node: psql -c "select eventward.rollback('${quoted}')"`,
  ]
}

function line({ ok, detail, next }: GateCheck): string {
  return ` ${ok ? '✓' : '✗'} ${detail}${next === null ? '' : `  → ${next}`}`
}

function step(table: string, phase: string): string {
  return phase === 'event_first'
    ? `eventward cutover ${shellWord(table)} complete --confirm ${shellWord(table)} (closes the way back)`
    : `eventward cutover ${shellWord(table)} advance --confirm ${shellWord(table)}`
}

function runOf(run: string | null): string {
  return run === null ? '' : ` · run ${run}`
}

function instant(text: string): string {
  return text.replace(/\.\d+/, '').replace('+00', 'Z')
}

function ms(value: number | null): string {
  return value === null ? '–' : `${Math.round(value)} ms`
}

function seconds(value: number): string {
  return value < 100 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`
}
