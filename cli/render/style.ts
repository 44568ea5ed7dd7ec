import { styleText } from 'node:util'
import type { Output } from '../io.js'

type Format = Parameters<typeof styleText>[0]

/** Colours for one stream: none where it is no terminal, or NO_COLOR asks for none. Never the only bearer of meaning. */
export function styleFor(stream: Output): (format: Format, text: string) => string {
  // styleText looks at the stream only where it is a real one of the process; a test's has no colours.
  if (stream !== process.stdout && stream !== process.stderr) return (_, text) => text
  return (format, text) => styleText(format, text, { stream, validateStream: true })
}
