/**
 * Quotes one identifier. The only way by which a name reaches SQL.
 * Doubles embedded quotes, as PostgreSQL's scanner reads them (src/backend/parser/scan.l, `xddouble`).
 *
 * @throws RangeError for an empty name or one with a NUL character: no PostgreSQL identifier has either.
 */
export function ident(name: string): string {
  if (name === '' || name.includes('\0')) {
    throw new RangeError(`not an identifier: ${JSON.stringify(name)}`)
  }
  return `"${name.replaceAll('"', '""')}"`
}

/** Quotes a qualified name: schema and relation, type or function. */
export function qualified(schema: string, name: string): string {
  return `${ident(schema)}.${ident(name)}`
}
