import type { Parity, ReplayResult } from '../../src/project/index.js'
import type { Output } from '../io.js'
import { marks } from './marks.js'
import { count, duration, plural } from './quantity.js'

/** What is shown now, what it took, and how the old one compares. Pure. */
export function replayText(result: ReplayResult, stream: Output): string {
  const mark = marks(stream)
  const { projection, version, table, events, seconds, eventsPerSecond, lockedMs, lastEvents, next } = result
  const rate = eventsPerSecond === null ? '' : ` · ${count(String(eventsPerSecond))} events/s`
  const switched =
    lockedMs === null
      ? 'another replay, at the same time, has switched'
      : `switched under a lock of ${lockedMs} ms, with the last ${plural(lastEvents, 'event')}`
  return [
    `${mark.ok} ${projection} v${version} shows ${table} now`,
    `  ${plural(events, 'event')} in ${duration(seconds)}${rate}${result.resumed ? ' · went on with what was built' : ''}`,
    `  ${switched}`,
    ...parityText(result, mark),
    ...(next === null ? [] : [`  the old table ${result.old} is kept: ${next}`]),
  ].join('\n')
}

function parityText({ parity, noParity }: ReplayResult, mark: ReturnType<typeof marks>): readonly string[] {
  if (noParity !== null && noParity !== 'first')
    return [`  ${mark.none} not compared with the old one: ${noParity}`]
  if (parity === null) return []
  return [`  ${isEqual(parity) ? mark.ok : mark.warn} ${comparedText(parity)}`]
}

function isEqual({ onlyOld, onlyNew }: Parity): boolean {
  return onlyOld === '0' && onlyNew === '0'
}

function comparedText(parity: Parity): string {
  const { oldRows, newRows, onlyOld, onlyNew, columns } = parity
  const but = columns.length === 0 ? '' : `, but for ${columns.join(', ')}`
  if (isEqual(parity)) return `equal to the old one${but}: ${plural(newRows, 'row')}`
  return `old ${plural(oldRows, 'row')}, new ${plural(newRows, 'row')}${but}: ${count(onlyOld)} only in the old one, ${count(onlyNew)} only in the new one`
}

/** What was removed. Pure. */
export function droppedText(projection: string, dropped: readonly string[], stream: Output): string {
  const mark = marks(stream)
  if (dropped.length === 0) return `${mark.none} ${projection}: there is no old table`
  return `${mark.ok} ${projection}: removed ${dropped.join(', ')}`
}
