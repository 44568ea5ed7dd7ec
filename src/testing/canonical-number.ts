/** How PostgreSQL writes numbers. Null for what is none. Numerics are never made JavaScript numbers. */

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i
/** What is no finite number, by how it may be written. */
export const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['nan', 'NaN'],
  ['inf', 'Infinity'],
  ['+inf', 'Infinity'],
  ['-inf', '-Infinity'],
  ['infinity', 'Infinity'],
  ['+infinity', 'Infinity'],
  ['-infinity', '-Infinity'],
])

/** `scale` is that of numeric(p, s), or null. Null where digits would be lost. */
export function numericText(text: string, precision: number | null, scale: number | null): string | null {
  const special = SPECIAL.get(text.trim().toLowerCase())
  if (special !== undefined) return special
  const parsed = plainDecimal(text.trim())
  if (parsed === null) return null
  const { sign, whole, fraction } = parsed
  const fitted = scale === null ? fraction : fraction.padEnd(scale, '0')
  const kept = scale === null ? fitted : fitted.slice(0, scale)
  if (/[1-9]/.test(fitted.slice(kept.length))) return null
  if (precision !== null && whole !== '0' && whole.length > precision - (scale ?? 0)) return null
  const digits = kept === '' ? whole : `${whole}.${kept}`
  return sign === '-' && /[1-9]/.test(digits) ? `-${digits}` : digits
}

/** Without its exponent. */
function plainDecimal(text: string) {
  const [match, sign = '', left = '', right = '', power = '0'] = DECIMAL.exec(text) ?? []
  const exponent = Number(power)
  // Beyond this PostgreSQL holds none, and the zeros would fill memory.
  if (match === undefined || left + right === '' || Math.abs(exponent) > 20_000) return null
  const padded = exponent < 0 ? left.padStart(left.length - exponent, '0') : left
  const point = padded.length + exponent
  const digits = (padded + right).padEnd(point, '0')
  const whole = digits.slice(0, point).replace(/^0+(?=\d)/, '')
  return { sign, whole: whole === '' ? '0' : whole, fraction: digits.slice(point) }
}
