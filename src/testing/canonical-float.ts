import { numericText, SPECIAL } from './canonical-number.js'

/**
 * How PostgreSQL writes a float4 or float8: the shortest text that lies within what is rounded to it, its borders left out
 * (JavaScript takes them in where they round to an even number). Null for what is none.
 */
export function floatText(text: string, bytes: 4 | 8): string | null {
  const trimmed = text.trim()
  const special = SPECIAL.get(trimmed.toLowerCase())
  if (special !== undefined) return special
  if (numericText(trimmed, null, null) === null) return null
  const value = bytes === 4 ? Math.fround(Number(trimmed)) : Number(trimmed)
  if (!Number.isFinite(value)) return null
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const sign = value < 0 ? '-' : ''
  const { digits, power } = shortest(Math.abs(value), bytes)
  const exponent = power + digits.length - 1
  // Where C's %g would: below 1e-4, and from as many digits on as the type holds for certain.
  if (exponent >= -4 && exponent < (bytes === 4 ? 6 : 15)) {
    return numericText(`${sign}${digits}e${power}`, null, null)
  }
  const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`
  return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

/** mantissa * 2 ** power. */
interface Binary {
  readonly mantissa: bigint
  readonly power: number
}

/** Exact: no digit of it is rounded twice. */
function shortest(value: number, bytes: 4 | 8): { readonly digits: string; readonly power: number } {
  const { mantissa, power, atPower } = partsOf(value, bytes)
  const high: Binary = { mantissa: 2n * mantissa + 1n, power: power - 1 }
  // Below a power of two numbers lie closer.
  const low: Binary = atPower
    ? { mantissa: 4n * mantissa - 1n, power: power - 2 }
    : { mantissa: 2n * mantissa - 1n, power: power - 1 }
  for (let length = 1; length < 18; length += 1) {
    const [left = '', right = '0'] = value.toExponential(length - 1).split('e')
    const nearest = BigInt(left.replace('.', ''))
    const tens = Number(right) - (length - 1)
    for (const digits of [nearest, nearest + 1n]) {
      if (isAbove(digits, tens, low) && !isAbove(digits, tens, high) && !isEqual(digits, tens, high)) {
        return { digits: String(digits), power: tens }
      }
    }
  }
  return { digits: String(value), power: 0 }
}

function partsOf(value: number, bytes: 4 | 8): Binary & { readonly atPower: boolean } {
  const view = new DataView(new ArrayBuffer(8))
  if (bytes === 8) view.setFloat64(0, value)
  else view.setFloat32(4, value)
  const bits = view.getBigUint64(0)
  const width = bytes === 8 ? 52n : 23n
  const biased = Number(bits >> width)
  const fraction = bits & ((1n << width) - 1n)
  const mantissa = biased === 0 ? fraction : fraction + (1n << width)
  return {
    mantissa,
    power: Math.max(biased, 1) - (bytes === 8 ? 1_075 : 150),
    atPower: fraction === 0n && biased > 1,
  }
}

/** Both sides of a comparison of digits * 10 ** tens with a binary number, as integers. */
function sides(digits: bigint, tens: number, { mantissa, power }: Binary): readonly [bigint, bigint] {
  const up = (base: bigint, exponent: number) => base ** BigInt(Math.max(exponent, 0))
  return [digits * up(10n, tens) * up(2n, -power), mantissa * up(2n, power) * up(10n, -tens)]
}

function isAbove(digits: bigint, tens: number, border: Binary): boolean {
  const [left, right] = sides(digits, tens, border)
  return left > right
}

function isEqual(digits: bigint, tens: number, border: Binary): boolean {
  const [left, right] = sides(digits, tens, border)
  return left === right
}
