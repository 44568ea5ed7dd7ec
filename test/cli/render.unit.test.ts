import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { redact, secretsOf } from '../../cli/redact.js'
import { differenceText } from '../../cli/render/difference-text.js'
import { errorText } from '../../cli/render/error-text.js'
import { bytes, count, duration, percent } from '../../cli/render/quantity.js'
import { UsageError } from '../../src/errors/index.js'

const stream = new Writable()

describe('quantities', () => {
  it('never show 0 for an unknown', () => {
    expect([count(null), count(undefined), percent(null), bytes(null)]).toEqual(['–', '–', '–', '–'])
    expect([count('0'), percent(0)]).toEqual(['0', '0.0%'])
  })

  it('keep every digit of a number beyond what JavaScript holds', () => {
    expect(count('9007199254740993')).toBe('9,007,199,254,740,993')
  })

  it('say 100% only where it is all, and 0.0% only where it is nothing', () => {
    expect([percent(1), percent(0.99999), percent(0.00001)]).toEqual(['100%', '99.9%', '0.1%'])
  })

  it('name lengths of time by two units', () => {
    expect([42, 245, 7_860, 273_600].map(duration)).toEqual(['42s', '4m 05s', '2h 11m', '3d 4h'])
  })
})

describe('a difference', () => {
  const difference = {
    table: 'prices',
    key: '7',
    kind: 'row_differs',
    columns: [
      {
        column: 'amount',
        row: '1.1',
        events: '1.10',
        setBy: { version: 2, type: 'Priced', writer: 'eventward/0.1.0', source: 'backfill' },
      },
    ],
  } as const

  it('shows 1.1 and 1.10 as different', () => {
    const text = differenceText(difference, stream)
    expect(text).toContain('-  amount: "1.1"')
    expect(text).toContain('+  amount: "1.10"')
    expect(text).toContain('amount was last set by Priced v2 (backfill, eventward/0.1.0)')
  })

  it('names the column alone where values are hidden', () => {
    const hidden = { ...difference, columns: [{ column: 'amount', setBy: null }] }
    const text = differenceText(hidden, stream)
    expect(text).toContain('  amount')
    expect(text).not.toMatch(/null|1\.1/)
  })
})

describe('an error', () => {
  const error = new UsageError('EW_TABLE_UNKNOWN', 'there is no table "ordes"', {
    next: 'Did you mean "orders"?',
  })

  it('says code, what and next on one line, and the stack only when asked', () => {
    expect(errorText(error, { verbose: false, stream })).toBe(
      'EW_TABLE_UNKNOWN there is no table "ordes". Did you mean "orders"?',
    )
    expect(errorText(error, { verbose: true, stream })).toMatch(/\n\s+at /)
  })
})

describe('passwords', () => {
  it('are taken out of URLs, decoded or not, and of what quotes them', () => {
    const secrets = secretsOf(['postgresql://me:p%40ss@db1/shop'], { PGPASSWORD: 'other' })
    expect(redact('postgres://me:p%40ss@db1/shop: p@ss and other', secrets)).toBe(
      'postgres://me:***@db1/shop: *** and ***',
    )
  })

  it('are taken out of URLs that nobody told us of', () => {
    expect(redact('see http://u:hidden@h/x, postgres://a:b@c')).toBe(
      'see http://u:***@h/x, postgres://a:***@c',
    )
  })

  it('of one or two letters leave other words alone', () => {
    expect(redact('a table', secretsOf(['postgres://me:a@h/d'], {}))).toBe('a table')
  })
})
