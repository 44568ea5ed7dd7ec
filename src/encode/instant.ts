import type { Temporal } from '../definition/index.js'

const UTC_TEXT = /^(\d+)-(\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?( BC)?$/

/**
 * Orders two instants given as timestamptz (or timestamp) text in UTC: `2018-02-01 00:00:00.5+00`, `infinity`,
 * `0044-03-15 00:00:00+00 BC`. Negative where a is earlier. Texts are compared as texts: no Date, no number.
 */
export function compareInstants(a: string, b: string): number {
  if (a === b) return 0
  const rankA = rank(a)
  const rankB = rank(b)
  if (rankA.era !== rankB.era) return rankA.era - rankB.era
  const year = comparePadded(rankA.year, rankB.year)
  // BC years run backwards, but the days within one run forwards.
  if (year !== 0) return rankA.era === ERA.bc ? -year : year
  return rankA.rest < rankB.rest ? -1 : rankA.rest > rankB.rest ? 1 : 0
}

const ERA = { minusInfinity: 0, bc: 1, ad: 2, infinity: 3 } as const

interface Rank {
  readonly era: number
  readonly year: string
  readonly rest: string
}

function rank(text: string): Rank {
  if (text === 'infinity') return { era: ERA.infinity, year: '', rest: '' }
  if (text === '-infinity') return { era: ERA.minusInfinity, year: '', rest: '' }
  const [, year = '', rest = '', fraction = '', bc] = UTC_TEXT.exec(text) ?? []
  return { era: bc === undefined ? ERA.ad : ERA.bc, year, rest: `${rest}.${fraction.padEnd(6, '0')}` }
}

function comparePadded(a: string, b: string): number {
  const width = Math.max(a.length, b.length)
  const left = a.padStart(width, '0')
  const right = b.padStart(width, '0')
  return left < right ? -1 : left > right ? 1 : 0
}

/**
 * The text of a column of this type for an instant: what `occurredAt` sets. `utc` is timestamptz text in UTC; `local`
 * the same instant as timestamp text in the aggregate's time zone (for UTC: `localOfUtc`).
 */
export function textOfInstant(temporal: Temporal, utc: string, local: string): string {
  switch (temporal) {
    case 'timestamptz':
      return utc
    case 'timestamp':
      return local
    case 'date':
      return local.replace(/ \d\d:\d\d:\d\d(?:\.\d+)?/, '')
  }
}

/** The timestamp text in UTC of an instant given as timestamptz text in UTC. */
export function localOfUtc(utc: string): string {
  return utc.replace('+00', '')
}

/**
 * The instant (timestamptz text in UTC) of a column's text, where the zone is UTC. A date that no timestamp reaches
 * (after 294276-12-31) has none: null.
 */
export function utcOfText(temporal: Temporal, text: string): string | null {
  if (text === 'infinity' || text === '-infinity' || temporal === 'timestamptz') return text
  const [, body = text, bc = ''] = /^(.*?)( BC)?$/.exec(text) ?? []
  if (temporal === 'timestamp') return `${body}+00${bc}`
  return bc === '' && isAfterLastTimestamp(body) ? null : `${body} 00:00:00+00${bc}`
}

/** PostgreSQL's timestamps end with the year 294276, its dates with 5874897. */
const LAST_TIMESTAMP_YEAR = '294276'

function isAfterLastTimestamp(date: string): boolean {
  const [year = ''] = date.split('-')
  return comparePadded(year, LAST_TIMESTAMP_YEAR) > 0
}
