import { describe, expect, it } from 'vitest'
import { assembleModel } from '../../src/bind/assemble-model.js'
import {
  type AggregateDefinition,
  type BoundModel,
  defineAggregate,
  type EventShape,
} from '../../src/definition/index.js'
import {
  compileFold,
  eventsWithCode,
  foldStream,
  lift,
  readingOf,
  type StoredEvent,
} from '../../src/fold/index.js'
import { catalogTable, column } from '../catalog/catalog-fixture.js'
import { Account, accounts, money, text } from '../support/account.js'

/** Bound without a server: constants stand as they are. */
function bound(definition: AggregateDefinition, frozen: readonly EventShape[] = []): BoundModel {
  const shown = (value: unknown) =>
    typeof value === 'boolean' ? (value ? 't' : 'f') : value === null ? null : String(value)
  const types = {
    bigint: 'int8',
    boolean: 'bool',
    text: 'text',
    'timestamp with time zone': 'timestamptz',
    'numeric(12,2)': 'numeric',
  } as const
  const columns = Object.entries(definition.table.columns).map(([name, { type, nullable }]) =>
    column(name, types[type as keyof typeof types], { type, nullable }),
  )
  return assembleModel(definition, catalogTable('accounts', columns), {
    values: {
      canonical: (_, value) => shown(value),
      assigned: (assignment) => (assignment.kind === 'constant' ? shown(assignment.value) : null),
    },
    frozen,
  })
}

const event = (type: string, schemaVersion: number, data: string, version = 1): StoredEvent => ({
  aggregateId: '7',
  version,
  type,
  schemaVersion,
  data,
  occurredAt: '2020-01-01 00:00:00+00',
  localTime: null,
})

const Opened = { creates: true, data: ['owner'] } as const
const Moved = defineAggregate({
  name: 'Account',
  table: accounts,
  events: {
    Opened,
    Credited: {
      schemaVersion: 3,
      data: ['balance'],
      facts: { reason: text },
      upcast: {
        1: { rename: { amount: 'sum' }, drop: ['legacy'] },
        2: [{ rename: { sum: 'balance' } }, { add: { reason: 'unknown' } }],
      },
    },
    Named: {
      schemaVersion: 2,
      data: { name: 'owner' },
      from: ['Renamed'],
    },
  },
  upcasters: {
    'Named@1': { to: 'Named', version: 2, compute: (data) => ({ name: `${data['first']} ${data['last']}` }) },
    'OpenedWithCredit@1': [
      { to: 'Opened', drop: ['balance'] },
      { to: 'Credited', drop: ['owner'], add: { reason: 'opening' } },
    ],
    'Lost@1': { to: 'Credited', version: 7 },
    'Round@1': { to: 'Opened', version: 9 },
    'Opened@9': { to: 'Opened', version: 9 },
    'Odd@1': () => ({ type: 'Nothing' as never, data: {} }),
  },
})
const model = bound(Moved)

describe('an older event', () => {
  it('of the present version is itself', () => {
    const [only] = lift(model, event('Opened', 1, '{"owner": "Ann"}'))
    expect(only).toMatchObject({
      type: 'Opened',
      schemaVersion: 1,
      data: '{"owner": "Ann"}',
      part: 1,
      parts: 1,
    })
  })

  it('is lifted step by step, and keeps each digit', () => {
    const stored = event('Credited', 1, '{"amount": 12345678901234567890.10, "legacy": 1, "note": "x"}')
    expect(lift(model, stored)).toMatchObject([
      {
        type: 'Credited',
        schemaVersion: 3,
        data: '{"note": "x", "balance": 12345678901234567890.10, "reason": "unknown"}',
        stored: { type: 'Credited', schemaVersion: 1 },
        version: 1,
      },
    ])
    expect(stored.data).toContain('amount')
  })

  it('keeps an attribute that an added one would stand for', () => {
    const [lifted] = lift(model, event('Credited', 2, '{"sum": 1, "reason": "gift"}'))
    expect(lifted?.data).toBe('{"reason": "gift", "balance": 1}')
  })

  it('under another name is read as the event that bears the new one, through its functions', () => {
    expect(lift(model, event('Renamed', 1, '{"first": "Ann", "last": "Lee"}'))).toMatchObject([
      {
        type: 'Named',
        schemaVersion: 2,
        data: '{"name": "Ann Lee"}',
        stored: { type: 'Renamed', schemaVersion: 1 },
      },
    ])
  })

  it('that was split is several', () => {
    const parts = lift(model, event('OpenedWithCredit', 1, '{"owner": "Ann", "balance": 5.00}'))
    expect(parts.map(({ type, data, part, parts: all }) => [type, data, part, all])).toEqual([
      ['Opened', '{"owner": "Ann"}', 1, 2],
      ['Credited', '{"balance": 5.00, "reason": "opening"}', 2, 2],
    ])
  })

  it.each([
    ['Lost', 1, 'lost', /Credited, schema version 7|Lost, schema version 1/],
    ['Round', 1, 'lost', /Round, schema version 1: no upcast leads from it/],
    ['Opened', 2, 'newer', /Opened, schema version 2: newer than this code; the present one is 1/],
    [
      'Merged',
      1,
      'newer',
      /Merged, schema version 1: newer than this code; this code has no event of that name/,
    ],
  ] as const)('without a path is named: %s@%i', (type, schemaVersion, reading, message) => {
    expect(readingOf(model, { type, schemaVersion })).toBe(reading)
    expect(() => lift(model, event(type, schemaVersion, '{}'))).toThrow(message)
    expect(() => lift(model, event(type, schemaVersion, '{}'))).toThrow(
      expect.objectContaining({ code: 'EW_UPCAST_PATH', details: expect.objectContaining({ reading }) }),
    )
  })

  it('whose function gives what is no event says where', () => {
    expect(() => lift(model, event('Odd', 1, '{}'))).toThrow(
      /Account.Odd, schema version 1: its upcast failed.*Nothing/,
    )
  })

  it('is folded by its frozen shape, whatever upcasts say', () => {
    const frozen: EventShape = {
      type: 'Credited',
      schemaVersion: 1,
      effect: 'changes',
      data: [{ attribute: 'amount', column: 'balance' }],
      facts: [],
      constants: [{ column: 'updated_by', value: 'old' }],
      bound: [],
    }
    const { row } = foldStream(bound(Moved, [frozen]), [
      event('Opened', 1, '{"owner": "Ann"}'),
      event('Credited', 1, '{"amount": 5.00}', 2),
    ])
    expect(row).toMatchObject({ balance: '5.00', updated_by: 'old' })
  })

  it('of which no shape is known is folded as what it is read as', () => {
    const { row, problem } = foldStream(model, [
      event('OpenedWithCredit', 1, '{"owner": "Ann", "balance": 5.00}'),
    ])
    expect(problem).toBeNull()
    expect(row).toMatchObject({ id: '7', owner: 'Ann', balance: '5.00' })
  })
})

describe('code that says what an event does', () => {
  const coded = bound(Account)
  const opened = event('Opened', 1, '{"owner": "Ann", "updated_by": null}')
  const credited = (amount: string, version: number) =>
    event('Credited', 1, `{"updated_by": "bo", "amount": "${amount}"}`, version)

  it('gets the row as data and set leave it, and its columns are laid over it', () => {
    const { row, problem } = foldStream(coded, [opened, credited('1.50', 2), credited('2.25', 3)])
    expect(problem).toBeNull()
    expect(row).toMatchObject({ balance: '3.75', updated_by: 'bo' })
  })

  it('that fails makes a stream unreadable, and the rest of it is still looked at', () => {
    const stream = [opened, credited('much', 2), event('Opened', 1, '{"owner": "Bo"}', 3)]
    expect(foldStream(coded, stream).problem).toEqual({
      kind: 'unreadable',
      version: 2,
      message: expect.stringMatching(/^Account.Credited, schema version 1: its apply failed: /),
    })
  })

  it('may give the whole row, numbers and booleans; what is no value, no column or another key is refused', () => {
    const applied = (apply: (state: Record<string, unknown>) => unknown) =>
      compileFold(
        bound(
          defineAggregate({
            name: 'Account',
            table: accounts,
            events: { Opened, Touched: {} },
            apply: { Touched: apply as never },
          }),
        ),
      )(
        { id: '7', owner: 'Ann', balance: '1.00', open: 't', updated_by: null, opened_at: 'x' },
        event('Touched', 1, '{}', 2),
      )
    expect(applied((state) => ({ ...state, balance: 1.5, open: false }))).toMatchObject({
      balance: '1.50',
      open: 'f',
    })
    expect(applied((state) => ({ open: state['open'] === true }))).toMatchObject({ open: 't' })
    expect(applied(() => ({ balance: 12n }))).toMatchObject({ balance: '12.00' })
    for (const wrong of [
      { id: '8' },
      { nothing: 1 },
      { balance: 2 ** 60 },
      { owner: true },
      { balance: {} },
      null,
    ]) {
      expect(() => applied(() => wrong)).toThrow(expect.objectContaining({ code: 'EW_APPLY' }))
    }
    expect(() =>
      applied(() => {
        throw new RangeError('boom')
      }),
    ).toThrow(/Account.Touched, schema version 1: its apply failed: boom/)
  })

  it('is known by its source text without comments and space, or by its version', () => {
    const hash = (apply: unknown) =>
      bound(
        defineAggregate({
          name: 'Account',
          table: accounts,
          events: { Opened, Touched: {} },
          apply: { Touched: apply as never },
        }),
      ).shapes.find(({ type }) => type === 'Touched')?.apply
    const source = (text_: string) => new Function(`return ${text_}`)()
    const one = hash(source("(state) => ({ owner: 'Bo' })"))
    expect(hash(source('state=>({owner:"Bo",/* why */\n})'))).toBe(one)
    expect(hash(source("(state) => ({ owner: 'Bob' })"))).not.toBe(one)
    expect(hash(source("(state) => ({ owner: 'B o' })"))).not.toBe(one)
    expect(hash({ version: '1', fold: () => ({}) })).toBe(
      hash({ version: '1', fold: () => ({ open: true }) }),
    )
    expect(hash({ version: '1', fold: () => ({}) })).not.toBe(hash({ version: '2', fold: () => ({}) }))
    expect(money(5n)).toBe('0.05')
  })

  it('is what the set-based fold does not know', () => {
    expect(eventsWithCode(coded)).toEqual(['Credited'])
    // What is stored under a known shape is folded by that; of these nothing is known but what code reads them as.
    expect(eventsWithCode(model)).toEqual(['Renamed@1', 'Named@1', 'Odd@1'])
    const { upcasts: _, ...plain } = model
    expect(eventsWithCode(plain)).toEqual([])
  })
})
