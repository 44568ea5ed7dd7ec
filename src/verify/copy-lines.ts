import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/**
 * Hands each line of COPY's text format to `take`, without its newline: one in a value is escaped, so lines end where
 * rows do. Holds one line and one network chunk at a time; each character is looked at once, however long the line.
 */
export async function copyLines(stream: Readable, take: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder('utf8')
  let begun: string[] = []
  for await (const chunk of stream) {
    const text = decoder.write(chunk as Buffer)
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      begun.push(text.slice(start, end))
      take(begun.join(''))
      begun = []
      start = end + 1
    }
    if (start < text.length) begun.push(text.slice(start))
  }
}

/** The value of one field of a line: `\N` is NULL, escapes are undone. */
export function copyValue(field: string): string | null {
  if (!field.includes('\\')) return field
  if (field === '\\N') return null
  return field.replace(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter)
}

/** As COPY TO writes them; any other character stands for itself. */
const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}
