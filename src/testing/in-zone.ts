import type { BoundColumn } from '../definition/index.js'
import { localOfUtc, utcOfText } from '../encode/index.js'
import type { Instant } from '../recognise/index.js'
import { movedBy } from './canonical-time.js'

/**
 * The clock of a zone at an instant (timestamptz text in UTC), as timestamp text; by the zones that Node knows, which a
 * server may know otherwise. Null where the zone is UTC, as the model wants it.
 */
export function localIn(zone: string, utc: string): string | null {
  if (zone === 'UTC') return null
  if (/infinity|BC/.test(utc)) return localOfUtc(utc)
  const [clock, rest] = split(localOfUtc(utc))
  return `${movedBy(clock, offsetAt(zone, clock))}${rest}`
}

/** What instant a column's text means in a zone. */
export function instantIn(zone: string, column: BoundColumn, text: string): Instant | null {
  const { temporal } = column
  if (temporal === null) return null
  const utc = utcOfText(temporal, text)
  if (utc === null || zone === 'UTC') return utc === null ? null : { utc, local: localOfUtc(utc) }
  if (temporal === 'timestamptz' || /infinity|BC/.test(utc)) return { utc, local: localIn(zone, utc) ?? '' }
  const [clock, rest] = split(localOfUtc(utc))
  const instant = `${movedBy(clock, -offsetMeant(zone, clock))}${rest}+00`
  return { utc: instant, local: localIn(zone, instant) ?? '' }
}

/** A clock that the zone skips is read as before the gap, one that it repeats as the second time: as PostgreSQL does. */
function offsetMeant(zone: string, clock: string): number {
  const after = offsetAt(zone, movedBy(clock, DAY))
  if (offsetAt(zone, movedBy(clock, -after)) === after) return after
  return offsetAt(zone, movedBy(clock, -DAY))
}

const DAY = 24 * 60

/** Minutes by which the zone is ahead of UTC at a UTC clock. */
function offsetAt(zone: string, clock: string): number {
  const instant = new Date(`${clock.replace(' ', 'T')}:00Z`)
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(instant)
  const part = (name: string) => parts.find(({ type }) => type === name)?.value ?? '0'
  const local = Date.UTC(+part('year'), +part('month') - 1, +part('day'), +part('hour'), +part('minute'))
  return Math.round((local - instant.getTime()) / 60_000)
}

function split(text: string): readonly [clock: string, rest: string] {
  return [text.slice(0, text.lastIndexOf(':')), text.slice(text.lastIndexOf(':'))]
}
