import type { BoundColumn } from '../definition/index.js'
import { literal } from './literal.js'

/**
 * SQL of the instant (timestamptz) that a bound column means, NULL where it means none.
 *
 * A cast that overflows would raise: dates go further than timestamps, and a zone can push a timestamp over the edge.
 * For UTC the borders are exact; for other zones two days are left out on both sides.
 */
export function instantSql(column: BoundColumn, expression: string, timeZone: string): string {
  const zone = literal(timeZone)
  const utc = timeZone === 'UTC'
  switch (column.temporal) {
    case 'timestamptz':
      return expression
    case 'timestamp':
      if (utc) return `(${expression} at time zone 'UTC')`
      return `case when not pg_catalog.isfinite(${expression}) or ${expression} between '4713-11-26 00:00:00 BC'::pg_catalog.timestamp and '294276-12-29 00:00:00'::pg_catalog.timestamp then ${expression} at time zone ${zone} end`
    case 'date': {
      const [from, to] = utc ? ['4713-11-24 BC', '294276-12-31'] : ['4713-11-26 BC', '294276-12-29']
      return `case when not pg_catalog.isfinite(${expression}) or ${expression} between '${from}'::pg_catalog.date and '${to}'::pg_catalog.date then ${expression}::pg_catalog.timestamp at time zone ${zone} end`
    }
    case null:
      return 'null::pg_catalog.timestamptz'
  }
}

/** SQL of what `occurredAt` sets a bound column to, given SQL of the instant. The twin of `textOfInstant`. */
export function ofInstantSql(column: BoundColumn, instant: string, timeZone: string): string {
  const local = `(${instant} at time zone ${literal(timeZone)})`
  switch (column.temporal) {
    case 'timestamptz':
    case null:
      return instant
    case 'timestamp':
      return local
    case 'date':
      return `${local}::pg_catalog.date`
  }
}
