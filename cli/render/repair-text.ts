import type { Repair } from '../../src/verify/index.js'
import type { Output } from '../io.js'
import { marks } from './marks.js'
import { count } from './quantity.js'

/** What `--repair` did, or would do, stream by stream: the events, or why there are none. */
export function repairText(repairs: readonly Repair[], stream: Output): string {
  const lines = repairs.map((one) => repairLines(one, stream).join('\n'))
  const of = (outcome: Repair['outcome']) => repairs.filter((one) => one.outcome === outcome).length
  const planned = of('would_repair')
  const summary =
    planned > 0
      ? `${count(String(planned))} would be repaired, ${count(String(of('left')))} not; nothing was changed`
      : `${count(String(of('repaired')))} repaired, ${count(String(of('left')))} left; a full verify proves the table`
  return repairs.length === 0 ? 'Nothing to repair.' : [...lines, summary].join('\n')
}

function repairLines(one: Repair, stream: Output): readonly string[] {
  const mark = marks(stream)
  const head = `${one.table} ${mark.bold(one.key)}`
  switch (one.outcome) {
    case 'repaired':
      return [`${mark.ok} ${head}: repaired`, ...events(one)]
    case 'would_repair':
      return [`${mark.none} ${head}: would append, then update the row to itself`, ...events(one)]
    case 'gone':
      return [`${mark.ok} ${head}: no difference any more`]
    case 'left':
      return [
        `${mark.bad} ${head}: ${one.message ?? 'left'}`,
        ...(one.next === undefined ? [] : [`  ${one.next}`]),
      ]
  }
}

function events({ events: appended }: Repair): readonly string[] {
  return appended.map(
    ({ type, data, occurredAt }) =>
      `  + ${type}${data === undefined || data === '{}' ? '' : ` ${data}`}${occurredAt === null ? '' : ` (${occurredAt.replace('+00', 'Z')})`}`,
  )
}
