import { createHash } from 'node:crypto'

/** NAMEDATALEN - 1: PostgreSQL cuts a longer name in silence. */
const LONGEST = 63
const SUFFIX = '_as_of'

/**
 * Names for the function of a table, the nicest first: `subscriptions_as_of`, of other schemas than public
 * `app_orders_as_of`. The second one bears a hash, for where the first is too long, or is taken: `public.app_orders` has
 * the same. Pure.
 */
export function asOfNames({
  name,
  schema,
  table,
}: Readonly<Record<'name' | 'schema' | 'table', string>>): readonly string[] {
  const plain = schema === 'public' ? table : `${schema}_${table}`
  const hash = createHash('sha256').update(`${schema}\n${table}\n${name}`).digest('hex').slice(0, 8)
  const hashed = cut(plain, `_${hash}${SUFFIX}`)
  return Buffer.byteLength(plain + SUFFIX) <= LONGEST ? [plain + SUFFIX, hashed] : [hashed]
}

/** By whole characters. */
function cut(name: string, suffix: string): string {
  let short = name
  while (Buffer.byteLength(short + suffix) > LONGEST) short = [...short].slice(0, -1).join('')
  return short + suffix
}
