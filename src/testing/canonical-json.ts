import { isLosslessNumber, parse } from 'lossless-json'
import { numericText } from './canonical-number.js'

/** How PostgreSQL writes a jsonb; null for what is no JSON. */
export function jsonbText(text: string): string | null {
  try {
    return written(parse(text))
  } catch {
    return null
  }
}

function written(value: unknown): string {
  if (isLosslessNumber(value)) return numericText(value.toString(), null, null) ?? value.toString()
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([a], [b]) => byLength(Buffer.from(a), Buffer.from(b)))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}: ${written(member)}`).join(', ')}}`
}

/** The shorter name first, then by bytes. */
function byLength(a: Buffer, b: Buffer): number {
  return a.length - b.length || Buffer.compare(a, b)
}
