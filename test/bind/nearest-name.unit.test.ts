import { describe, expect, it } from 'vitest'
import { nearestName } from '../../src/bind/index.js'

describe('nearestName', () => {
  it('finds what was meant', () => {
    expect(nearestName('statuss', ['id', 'status', 'state'])).toBe('Did you mean "status"? ')
    expect(nearestName('InvoiceID', ['InvoiceId', 'InvoiceDate'])).toBe('Did you mean "InvoiceId"? ')
  })

  it('suggests nothing that is not near', () => {
    expect(nearestName('price', ['id', 'status'])).toBe('')
    expect(nearestName('x', [])).toBe('')
  })
})
