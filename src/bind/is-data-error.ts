/**
 * Tells whether the server refused a value: SQLSTATE class 22 (data), 23 (a domain's constraint), 42846 (no such
 * cast) or 42804 (a type's own input). Looks through the errors that wrap it.
 */
export function isDataError(error: unknown): boolean {
  for (
    let cause: unknown = error, depth = 0;
    cause instanceof Error && depth < 5;
    cause = cause.cause, depth++
  ) {
    const code = 'code' in cause ? cause.code : undefined
    if (typeof code === 'string' && /^(22...|23...|42846|42804)$/.test(code)) return true
  }
  return false
}
