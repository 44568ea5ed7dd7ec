import type { BoundColumn } from '../definition/index.js'
import type { Moment } from './load-row.js'

/** PostgreSQL keeps microseconds. */
const FINEST = 6

/**
 * A moment cut to what all of these columns hold: a timestamptz(0) would round it up, and the row would be later than its
 * event. A date takes its day from any moment.
 */
export function cutTo(moment: Moment, columns: readonly BoundColumn[]): Moment {
  const digits = Math.min(FINEST, ...columns.map(precisionOf))
  return { utc: cut(moment.utc, digits), local: moment.local === null ? null : cut(moment.local, digits) }
}

function precisionOf({ declaredType }: BoundColumn): number {
  const digits = /^timestamp\((\d)\)/.exec(declaredType)?.[1]
  return digits === undefined ? FINEST : Number(digits)
}

/** As PostgreSQL writes it: without zeros at the end. */
function cut(text: string, digits: number): string {
  return text.replace(/\.(\d+)/, (_, fraction: string) => {
    const kept = fraction.slice(0, digits).replace(/0+$/, '')
    return kept === '' ? '' : `.${kept}`
  })
}
