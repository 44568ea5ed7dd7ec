/**
 * Canonical encoding: a column's output text <-> JSON text, stream ids, instants as texts. Pure; must never know a
 * database, and never let a stored value pass through `number` or `Date`.
 */
export { decodeText } from './decode-text.js'
export { encodeText } from './encode-text.js'
export { compareInstants, localOfUtc, textOfInstant, utcOfText } from './instant.js'
export { members } from './members.js'
export { keyOfStream, streamId } from './stream-id.js'
