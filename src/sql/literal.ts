/**
 * Quotes one text as a literal. The only way by which a value reaches the text of a statement (as against its
 * parameters); used where a statement takes none: generated functions, COPY, and constants of a definition.
 * A text with a backslash becomes an escape string, so that `standard_conforming_strings` doesn't matter.
 *
 * @throws RangeError for a text with a NUL character: PostgreSQL's text can't hold it.
 */
export function literal(text: string): string {
  if (text.includes('\0')) throw new RangeError('a NUL character can not stand in a literal')
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/** The same for a value that may be SQL NULL. */
export function literalOrNull(text: string | null): string {
  return text === null ? 'null' : literal(text)
}
