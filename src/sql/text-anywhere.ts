import { qualified } from './ident.js'

const TIMESTAMPTZ = qualified('pg_catalog', 'timestamptz')
const TIMESTAMP = qualified('pg_catalog', 'timestamp')
const DATE = qualified('pg_catalog', 'date')

/**
 * SQL of a value's canonical text, whatever the settings of the session: `eventward.enc` writes it under settings of its
 * own, which takes some 50 us. For times, which most rows have, JSON's form of them is made the canonical one: it follows
 * no setting. In compiled code this is a tenth of the time; in a statement that is planned each time, no gain. Out of the years from 1 to 9999 the two differ in more than a letter: those, and infinity, are left to `enc`.
 */
export function textAnywhere(castType: string, expression: string): string {
  const enc = `eventward.enc(${expression})`
  switch (castType) {
    case TIMESTAMPTZ: {
      const json = `pg_catalog.to_jsonb(${expression} at time zone 'UTC')`
      return `(case when ${between(expression, castType, '+00')} then ${plain(json)} operator(pg_catalog.||) '+00' else ${enc} end)`
    }
    case TIMESTAMP:
      return `(case when ${between(expression, castType, '')} then ${plain(`pg_catalog.to_jsonb(${expression})`)} else ${enc} end)`
    case DATE:
      return `(case when ${between(expression, castType, '')} then (pg_catalog.to_jsonb(${expression}) operator(pg_catalog.#>>) '{}') else ${enc} end)`
    default:
      return enc
  }
}

function plain(json: string): string {
  return `pg_catalog.replace(${json} operator(pg_catalog.#>>) '{}', 'T', ' ')`
}

function between(expression: string, castType: string, zone: string): string {
  const bound = (year: string) =>
    castType === DATE ? `'${year}-01-01'::${castType}` : `'${year}-01-01 00:00:00${zone}'::${castType}`
  return `${expression} operator(pg_catalog.>=) ${bound('0001')} and ${expression} operator(pg_catalog.<) ${bound('10000')}`
}
