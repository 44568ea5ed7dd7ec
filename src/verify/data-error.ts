import { sqlstateOf } from '../db/index.js'
import type { BoundColumn } from '../definition/index.js'

/**
 * The server's words where an error is about a stored text that can't be read as what it should be: class 22 (data
 * exception) and 54 (a value too large); where one of `columns` holds names of objects (regclass, regrole), also that
 * there is no such object any more. Undefined for every other error: a lost connection or a missing table is nobody's
 * data.
 */
export function dataError(error: unknown, columns: readonly BoundColumn[]): string | undefined {
  const sqlstate = sqlstateOf(error)
  if (sqlstate === undefined) return undefined
  const unknownName = UNKNOWN_NAME.has(sqlstate) && columns.some(({ castType }) => NAMING.test(castType))
  if (!unknownName && !/^(22|54)/.test(sqlstate)) return undefined
  // The outer message begins with the server's address, which is not what is wrong.
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return inner instanceof Error ? inner.message : String(inner)
}

/** Relation, object or role, function, ambiguous function, schema. */
const UNKNOWN_NAME: ReadonlySet<string> = new Set(['42P01', '42704', '42883', '42725', '3F000'])
const NAMING = /"pg_catalog"\."_?reg[a-z]+"$/
