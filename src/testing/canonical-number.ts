/** How PostgreSQL writes numbers. Null for what is none. Numerics are never made JavaScript numbers. */

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i
const SPECIAL: ReadonlyMap<string, string> = new Map([
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

/** Of a float4 or float8: the shortest text that is read back as the same. */
export function floatText(text: string, digits: 4 | 8): string | null {
  const special = SPECIAL.get(text.trim().toLowerCase())
  if (special !== undefined) return special
  if (!DECIMAL.test(text.trim())) return null
  const value = digits === 4 ? Math.fround(Number(text)) : Number(text)
  if (!Number.isFinite(value)) return null
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa = '', power = '0'] = shortest(value, digits).split('e')
  const exponent = Number(power)
  // Where C's %g would: below 1e-4, and from as many digits on as the type holds for certain.
  if (exponent >= -4 && exponent < (digits === 4 ? 6 : 15))
    return numericText(`${mantissa}e${power}`, null, null)
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

function shortest(value: number, digits: 4 | 8): string {
  if (digits === 8) return value.toExponential()
  for (let length = 0; length < 9; length += 1) {
    const text = value.toExponential(length)
    if (Math.fround(Number(text)) === value) return text
  }
  return value.toExponential(9)
}
