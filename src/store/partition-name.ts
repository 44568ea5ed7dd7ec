import { createHash } from 'node:crypto'

/** NAMEDATALEN - 1: PostgreSQL cuts a longer name in silence. */
const LONGEST = 63

/** Names for a partition, the nicest first; the last one has a hash of the type and collides with no other type's. Pure. */
export function partitionNames(eventsTable: string, aggregateType: string): readonly string[] {
  const plain = `${eventsTable}_${snake(aggregateType)}`
  const hashed = withSuffix(plain, `_${hashOf(`${eventsTable}\n${aggregateType}`)}`)
  return Buffer.byteLength(plain) <= LONGEST ? [plain, hashed] : [hashed]
}

/** A name with something after it, cut before that so that the whole is a name. Pure. */
export function withSuffix(name: string, suffix: string): string {
  let cut = name
  while (Buffer.byteLength(cut + suffix) > LONGEST) cut = [...cut].slice(0, -1).join('')
  return cut + suffix
}

/** `OrderItem` -> `order_item`, `HTTPCall` -> `http_call`. */
function snake(name: string): string {
  return name
    .replace(/(\p{Lu}+)(\p{Lu}\p{Ll})/gu, '$1_$2')
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1_$2')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '_')
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
