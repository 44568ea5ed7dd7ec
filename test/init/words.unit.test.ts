import { describe, expect, it } from 'vitest'
import { happened, isParticiple, stem } from '../../src/init/past-tense.js'
import { uniqueNames } from '../../src/init/unique-names.js'
import { aggregateName, singular, words } from '../../src/init/words.js'

describe('names', () => {
  it.each([
    ['subscriptions', 'Subscription'],
    ['film_actor', 'FilmActor'],
    ['InvoiceLine', 'InvoiceLine'],
    ['statuses', 'Status'],
    ['status', 'Status'],
    ['categories', 'Category'],
    ['addresses', 'Address'],
    ['purchases', 'Purchase'],
    ['warehouses', 'Warehouse'],
    ['ORDER_ITEMS', 'OrderItem'],
    ['people', 'Person'],
    ['2fa codes', 'T2faCode'],
    ['öffnungszeiten', 'Öffnungszeiten'],
    ['"; drop table x; --', 'DropTableX'],
    ['$$', 'Table'],
  ])('an aggregate for table %s is called %s', (table, name) => {
    expect(aggregateName(table)).toBe(name)
  })

  it('is split alike however a database spells it', () => {
    for (const name of ['created_at', 'createdAt', 'CreatedAt', 'CREATED_AT', 'created-at', 'created at']) {
      expect(words(name)).toEqual(['created', 'at'])
    }
  })

  it('keeps what is singular already', () => {
    for (const word of ['status', 'address', 'analysis', 'bus', 'news', 'boss'])
      expect(singular(word)).toBe(word)
  })

  it('are unique across schemas, and public keeps the plain one', () => {
    const tables = [
      { schema: 'app', name: 'orders' },
      { schema: 'public', name: 'order' },
      { schema: 'public', name: 'orders' },
      { schema: 'app', name: 'order' },
    ]
    const names = [...uniqueNames(tables, ({ name }) => aggregateName(name))].map(
      ([{ schema, name }, given]) => `${schema}.${name} ${given}`,
    )
    expect(names).toEqual([
      'public.order Order',
      'public.orders Order2',
      'app.orders AppOrder',
      'app.order Order3',
    ])
  })
})

describe('stem', () => {
  it.each([
    ['active', 'activated'],
    ['inactive', 'deactivated'],
    ['shipped', 'ship'],
    ['cancelled', 'canceled'],
    ['cancellation', 'cancelled'],
    ['paid', 'pay'],
    ['complete', 'completed'],
    ['open', 'opened'],
    ['verified', 'verify'],
    ['verification', 'verified'],
    ['closed', 'close'],
  ])('%s means what %s means', (one, other) => {
    expect(stem(one)).toBe(stem(other))
  })

  it.each([
    ['processing', 'processed'],
    ['active', 'deactivated'],
    ['paid', 'unpaid'],
    ['shipping', 'shipped'],
    ['opened', 'reopened'],
  ])('%s does not mean what %s means', (one, other) => {
    expect(stem(one)).not.toBe(stem(other))
  })
})

describe('happened', () => {
  it('puts a status into the past where its word tells how', () => {
    expect(happened(['paused'])).toEqual(['paused'])
    expect(happened(['active'])).toEqual(['activated'])
    expect(happened(['past', 'due'])).toBeNull()
    expect(happened(['processing'])).toBeNull()
  })

  it('takes no noun in -eed or -red for a participle', () => {
    for (const word of ['need', 'speed', 'red', 'bed']) expect(isParticiple(word)).toBe(false)
  })
})
