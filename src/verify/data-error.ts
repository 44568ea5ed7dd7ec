import { sqlstateOf } from '../db/index.js'

/**
 * The server's words where an error is about a stored text that can't be read as what it should be: class 22 (data
 * exception) and 54 (a value too large). Undefined for every other error: a lost connection or a missing table is
 * nobody's data.
 */
export function dataError(error: unknown): string | undefined {
  const sqlstate = sqlstateOf(error)
  if (sqlstate === undefined || !/^(22|54)/.test(sqlstate)) return undefined
  // The outer message begins with the server's address, which is not what is wrong.
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return inner instanceof Error ? inner.message : String(inner)
}
