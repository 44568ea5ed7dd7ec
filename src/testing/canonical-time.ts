import type { Temporal } from '../definition/index.js'

const ISO =
  /^(\d{4,6})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)? ?(Z|[+-]\d\d(?::?\d\d)?)?$/i

/**
 * How PostgreSQL writes a time that is given in ISO 8601, with the zone UTC: null for another form, which only the server
 * reads, and for a fraction finer than the column holds.
 */
export function timeText(text: string, temporal: Temporal, digits: number): string | null {
  if (/^-?infinity$/.test(text)) return text
  const match = ISO.exec(text.trim())
  if (match === null) return null
  const [, year = '', month = '', day = '', hour = '00', minute = '00', second = '00', fine = '', zone] =
    match
  const fraction = fine.replace(/0+$/, '')
  if (fraction.length > digits || !isDay(year, month, day)) return null
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null
  if (temporal === 'date') return `${year}-${month}-${day}`
  const clock = `${year}-${month}-${day} ${hour}:${minute}`
  const utc = temporal === 'timestamp' ? clock : movedBy(clock, -minutesOf(zone))
  const rest = `:${second}${fraction === '' ? '' : `.${fraction}`}`
  return temporal === 'timestamp' ? `${utc}${rest}` : `${utc}${rest}+00`
}

/** Moves `2018-02-01 10:00` by minutes. */
export function movedBy(clock: string, minutes: number): string {
  if (minutes === 0) return clock
  const [date = '', time = ''] = clock.split(' ')
  const [year = '', month = '', day = ''] = date.split('-')
  const [hour = '', minute = ''] = time.split(':')
  const moved = new Date(0)
  moved.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  moved.setUTCHours(Number(hour), Number(minute) + minutes)
  return clockOf(moved)
}

function clockOf(instant: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const year = String(instant.getUTCFullYear()).padStart(4, '0')
  const date = `${year}-${two(instant.getUTCMonth() + 1)}-${two(instant.getUTCDate())}`
  return `${date} ${two(instant.getUTCHours())}:${two(instant.getUTCMinutes())}`
}

function minutesOf(zone = 'Z'): number {
  if (/^z$/i.test(zone)) return 0
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? []
  const total = Number(hours) * 60 + Number(minutes)
  return sign === '-' ? -total : total
}

function isDay(year: string, month: string, day: string): boolean {
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) && Number(year) > 0
}
