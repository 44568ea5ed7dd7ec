import type { CatalogColumn } from '../../src/catalog/index.js'
import type { Random } from './random.js'

const WORDS = [
  'blue',
  "O'Brien",
  'a\\b',
  'Zürich',
  '東京',
  '{"a": 1}',
  ' two  spaces ',
  '🚲',
  '%s $1',
  'NULL',
  'tab\there',
]
const RANGES: Readonly<Record<string, bigint>> = {
  int2: 32_767n,
  int4: 2_147_483_647n,
  int8: 9_223_372_036_854_775_807n,
}

/**
 * A value that the column's type can hold, as text: made from `like`, a value of another row. Types of which nothing
 * is known keep `like`. Now and then null, where the column may be.
 */
export function randomValue(random: Random, column: CatalogColumn, like: string | null): string | null {
  if (column.nullable && random.chance(0.12)) return null
  if (column.enumLabels !== null) return random.pick(column.enumLabels)
  // A domain has rules of its own.
  if (column.domain || random.chance(0.25)) return like
  return made(random, column, like)
}

function made(random: Random, column: CatalogColumn, like: string | null): string | null {
  const [, length] = /\((\d+)\)$/.exec(column.type) ?? []
  switch (column.baseTypeName) {
    case 'int2':
    case 'int4':
    case 'int8':
      return integer(random, like, RANGES[column.baseTypeName]!)
    case 'numeric':
      return (like ?? '1.00').replace(/\d(?=\D*$)/, () => String(random.below(10)))
    case 'float4':
    case 'float8':
      return random.chance(0.1) ? '-0' : String(random.next() * 100)
    case 'bool':
      return random.chance(0.5) ? 't' : 'f'
    case 'text':
    case 'varchar':
      return text(random, like, length)
    case 'bpchar':
      return Array.from({ length: Number(length ?? 1) }, () => letter(random)).join('')
    case 'date':
      return `20${10 + random.below(20)}-0${1 + random.below(9)}-1${random.below(10)}`
    case 'timestamp':
    case 'timestamptz':
      return `20${10 + random.below(20)}-0${1 + random.below(9)}-1${random.below(10)} 0${random.below(10)}:11:12.${random.below(1_000_000)}`
    case 'bytea':
      return `\\x${random.below(65_536).toString(16).padStart(4, '0')}`
    case '_text':
      return random.pick(['{}', '{a,NULL}', '{"b c",d}', '[2:3]={x,y}'])
    case 'json':
    case 'jsonb':
      return random.pick(['null', '{"b": 1.0, "a": [1e3]}', '"x"'])
    default:
      return like
  }
}

/** A letter of a key or of char(n). */
export function letter(random: Random): string {
  return String.fromCharCode(65 + random.below(26))
}

function integer(random: Random, like: string | null, most: bigint): string {
  const moved = BigInt(like ?? '1') + BigInt(random.below(20) - 10)
  return String(moved > most || moved < -most ? 0n : moved)
}

function text(random: Random, like: string | null, length: string | undefined): string {
  const whole = random.chance(0.1)
    ? ''
    : random.chance(0.3)
      ? `${like ?? ''} ${random.pick(WORDS)}`
      : random.pick(WORDS)
  // Nothing grows without end; code points, as the server counts.
  return [...whole].slice(0, Number(length ?? 200)).join('')
}
