import type { Encoding, Text } from '../definition/index.js'

/**
 * The column's text from a raw JSON fragment (a slice of jsonb's own output): the inverse of `encodeText`.
 * A number is never parsed; its characters are the text.
 *
 * It is lenient on purpose where a fragment is not what `encodeText` writes (a string where a number is expected): it
 * gives the text that PostgreSQL's `->>` would give, and the verifier compares it with the row.
 */
export function decodeText(encoding: Encoding, raw: string): Text {
  if (raw === 'null') return null
  if (raw.startsWith('"')) return JSON.parse(raw) as string
  if (encoding === 'boolean') {
    if (raw === 'true') return 't'
    if (raw === 'false') return 'f'
  }
  return raw
}
