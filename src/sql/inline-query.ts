import { literalOrNull } from './literal.js'
import type { Query } from './query.js'

/**
 * A query as text without parameters, for COPY, which takes none: each `$n` becomes its value as a literal.
 *
 * @throws RangeError for an array as a value: write it as casts of texts.
 */
export function inlineQuery({ text, values }: Query): string {
  if (values.length === 0) return text
  return text.replace(
    /"(?:[^"]|"")*"|E'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\$(\d+)/gs,
    (token, digits?: string) => {
      if (digits === undefined) return token
      const value = values[Number(digits) - 1] ?? null
      if (typeof value === 'object' && value !== null) throw new RangeError('an array can not be inlined')
      return literalOrNull(value)
    },
  )
}
