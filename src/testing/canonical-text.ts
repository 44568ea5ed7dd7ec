import type { TextRequest } from '../bind/index.js'
import type { Constant, Text } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { floatText } from './canonical-float.js'
import { jsonbText } from './canonical-json.js'
import { numericText } from './canonical-number.js'
import { timeText } from './canonical-time.js'

/**
 * Canonical texts by the types of the columns alone: what a server would write, for the types of pg_catalog that are named
 * here. A value of any other type (interval, inet, arrays, ranges, types of extensions) is taken as it's written.
 *
 * @throws UsageError EW_CONSTANT for what is no value of its column, or can't be told without a server.
 */
export function describedTexts(requests: readonly TextRequest[]): readonly Text[] {
  return requests.map((request) => {
    if (request.value === null) return null
    const text = canonicalText(request, request.value)
    if (text === null) throw refusal(request)
    return text
  })
}

type Write = (text: string, modifiers: readonly number[], value: Exclude<Constant, null>) => string | null

const MICROSECONDS = 6

const BY_TYPE: Readonly<Record<string, Write>> = {
  int2: (text) => integer(text, 16n),
  int4: (text) => integer(text, 32n),
  int8: (text) => integer(text, 64n),
  numeric: (text, [precision, scale]) =>
    numericText(text, precision ?? null, precision === undefined ? null : (scale ?? 0)),
  float4: (text) => floatText(text, 4),
  float8: (text) => floatText(text, 8),
  bool: (text, _, value) => (value === true ? 't' : value === false ? 'f' : boolean(text)),
  varchar: (text, [length]) => (length !== undefined && lengthOf(text) > length ? null : text),
  bpchar: (text, [length = 1]) => padded(text.replace(/ +$/, ''), length),
  uuid: (text) => uuid(text),
  timestamptz: (text, [digits = MICROSECONDS]) => timeText(text, 'timestamptz', digits),
  timestamp: (text, [digits = MICROSECONDS]) => timeText(text, 'timestamp', digits),
  date: (text) => timeText(text, 'date', MICROSECONDS),
  jsonb: (text) => jsonbText(text),
}

function canonicalText({ column }: TextRequest, value: Exclude<Constant, null>): string | null {
  const write = column.baseTypeSchema === 'pg_catalog' ? BY_TYPE[column.baseTypeName] : undefined
  const modifiers = /\(([\d,]+)\)/.exec(column.type)?.[1]?.split(',').map(Number) ?? []
  return write === undefined ? String(value) : write(String(value), modifiers, value)
}

function integer(text: string, bits: bigint): string | null {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) return null
  const value = BigInt(text.trim().replace('+', ''))
  return BigInt.asIntN(Number(bits), value) === value ? String(value) : null
}

function boolean(text: string): string | null {
  return /^(t|true|on|yes|1)$/i.test(text) ? 't' : /^(f|false|off|no|0)$/i.test(text) ? 'f' : null
}

function uuid(text: string): string | null {
  const digits = text.toLowerCase().replace(/^\{|\}$|-/g, '')
  return /^[0-9a-f]{32}$/.test(digits)
    ? digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    : null
}

function padded(text: string, length: number): string | null {
  const missing = length - lengthOf(text)
  return missing < 0 ? null : text + ' '.repeat(missing)
}

/** In characters, as PostgreSQL counts. */
function lengthOf(text: string): number {
  return [...text].length
}

const TIMES: ReadonlySet<string> = new Set(['timestamptz', 'timestamp', 'date'])

function refusal({ where, value, column }: TextRequest): UsageError {
  const text = String(value)
  return new UsageError(
    'EW_CONSTANT',
    `${where}: ${JSON.stringify(text)} is no ${column.type}, or not kept`,
    {
      next: TIMES.has(column.baseTypeName)
        ? 'Write a time that the column holds in ISO 8601: 2018-02-01 00:00:00+00.'
        : `Write a value that ${column.type} holds as it is.`,
      details: { column: column.name, type: column.type, value: text },
    },
  )
}
