import { ident } from '../ident.js'
import { literal } from '../literal.js'

/**
 * What decides how a value is written as text; the same as our sessions pin (`OUTPUT_SETTINGS` of src/db, and a test
 * compares them): this room knows no database.
 */
export const CAPTURE_SETTINGS: Readonly<Record<string, string>> = {
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  lc_monetary: 'C',
  quote_all_identifiers: 'off',
  xmloption: 'content',
}

/** The SET clauses of a function that writes texts. */
export const OUTPUT_SETTINGS = [
  'set search_path = pg_catalog, pg_temp',
  ...Object.entries(CAPTURE_SETTINGS).map(([name, value]) => `set ${ident(name)} = ${literal(value)}`),
].join('\n')
