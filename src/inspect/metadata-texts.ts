import { decodeText, members } from '../encode/index.js'

/** The members of an event's metadata as texts: strings as they are, all else as its JSON. */
export function metadataTexts(json: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...members(json)].flatMap(([name, raw]) => {
      const text = decodeText('text', raw)
      return text === null ? [] : [[name, text]]
    }),
  )
}
