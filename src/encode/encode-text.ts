import type { Encoding, Text } from '../definition/index.js'

/** What integers and finite numerics look like in PostgreSQL's output: also a valid JSON number. */
const FINITE = /^-?\d+(\.\d+)?$/

/**
 * The canonical JSON of a column's output text, as JSON text. Injective for each encoding:
 *
 * - `number`: a finite number stands as a JSON number of that same text (`1.10` stays `1.10`), NaN and the infinities
 *   as strings;
 * - `boolean`: `t` and `f` become true and false;
 * - `jsonb`: objects and arrays are embedded, scalars stand as a string of their text, so that JSON null (`"null"`) and
 *   SQL NULL (`null`) differ;
 * - `text`: a JSON string.
 *
 * SQL NULL is JSON null in all of them.
 */
export function encodeText(encoding: Encoding, text: Text): string {
  if (text === null) return 'null'
  switch (encoding) {
    case 'number':
      return FINITE.test(text) ? text : JSON.stringify(text)
    case 'boolean':
      return text === 't' ? 'true' : 'false'
    case 'jsonb':
      return text.startsWith('{') || text.startsWith('[') ? text : JSON.stringify(text)
    case 'text':
      return JSON.stringify(text)
  }
}
