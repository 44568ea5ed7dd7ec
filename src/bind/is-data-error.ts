import { sqlstateOf } from '../db/index.js'

/**
 * Tells whether the server refused a value: SQLSTATE class 22 (data), 23 (a domain's constraint), 42846 (no such
 * cast) or 42804 (a type's own input).
 */
export function isDataError(error: unknown): boolean {
  return /^(22...|23...|42846|42804)$/.test(sqlstateOf(error) ?? '')
}
