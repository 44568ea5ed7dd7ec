import { describe, expect, it } from 'vitest'
import { nearestName } from '../../src/definition/index.js'

describe('the nearest name', () => {
  it('is what was meant', () => {
    expect(nearestName('statuss', ['id', 'status', 'state'])).toBe('Did you mean "status"? ')
    expect(nearestName('InvoiceID', ['InvoiceId', 'InvoiceDate'])).toBe('Did you mean "InvoiceId"? ')
    expect(nearestName('cuont', ['count', 'amount'])).toBe('Did you mean "count"? ')
  })

  it('is none where nothing is near', () => {
    expect(nearestName('price', ['id', 'status'])).toBe('')
    expect(nearestName('ab', ['ba', 'zz'])).toBe('Did you mean "ba"? ')
    expect(nearestName('x', [])).toBe('')
  })
})
