import { describe, expect, it } from 'vitest'
import {
  type AggregateInput,
  becomes,
  defineAggregate,
  defineTable,
  type EventInputs,
  is,
  lookup,
  not,
  occurredAt,
  type TableDescription,
} from '../../src/definition/index.js'
import { UsageError } from '../../src/errors/index.js'
import { subscriptions } from '../support/subscription.js'

interface EverythingRow {
  id: number
  code: string
  count: number
  price: string
  ratio: number
  open: boolean
  label: string | null
  day: string
  days: string
  seen_at: string | null
  changed_at: string
  domain: string
  total: number
}

const everything = defineTable<EverythingRow>()({
  schema: 'shop',
  name: 'everything',
  key: ['id', 'code'],
  columns: {
    id: { type: 'integer', nullable: false },
    code: { type: 'character varying(3)', nullable: false },
    count: { type: 'bigint', nullable: false },
    price: { type: 'numeric(10,2)', nullable: false },
    ratio: { type: 'double precision', nullable: false },
    open: { type: 'boolean', nullable: false },
    label: { type: 'text', nullable: true },
    day: { type: 'date', nullable: false },
    days: { type: 'date[]', nullable: false },
    seen_at: { type: 'timestamp(3) without time zone', nullable: true },
    changed_at: { type: 'timestamp with time zone', nullable: false },
    domain: { type: 'shop.unknown', nullable: false },
    total: { type: 'integer', nullable: true, generated: true },
  },
})

/** As plain JavaScript would call it. */
function define(input: Readonly<Record<string, unknown>>): unknown {
  const loose = { name: 'Thing', table: everything, events: { Created: { creates: true } }, ...input }
  return defineAggregate(
    loose as unknown as AggregateInput<string, typeof everything, EventInputs, object> & {
      readonly events: never
    },
  )
}

/** Defines one event `Done` beside a creating one. */
const withEvent = (event: unknown) => () => define({ events: { Created: { creates: true }, Done: event } })

function refusal(work: () => unknown): UsageError {
  try {
    work()
  } catch (error) {
    if (error instanceof UsageError) return error
    throw error
  }
  return expect.unreachable('nothing was refused')
}

const asTable = (table: Partial<TableDescription>) => ({ ...everything, ...table })
const without = (key: readonly string[]) => asTable({ key })

describe('names', () => {
  it.each([
    [
      'a misspelt column in data',
      withEvent({ data: ['cuont'] }),
      'EW_COLUMN_UNKNOWN',
      'shop.everything has no column "cuont"',
    ],
    ['a misspelt column in a rename', withEvent({ data: { n: 'cuont' } }), 'EW_COLUMN_UNKNOWN', '"cuont"'],
    ['a misspelt column in set', withEvent({ set: { cuont: 1 } }), 'EW_COLUMN_UNKNOWN', '"cuont"'],
    [
      'a misspelt column in when',
      withEvent({ when: not(is('cuont', 1)) }),
      'EW_COLUMN_UNKNOWN',
      'Thing.Done.when',
    ],
    [
      'a misspelt column in updatedAt',
      () => define({ updatedAt: 'chnged_at' }),
      'EW_COLUMN_UNKNOWN',
      'updatedAt',
    ],
    [
      'a misspelt column in a lookup',
      withEvent({ set: { count: lookup(subscriptions, { statuss: 'x' } as never) } }),
      'EW_COLUMN_UNKNOWN',
      'public.subscriptions has no column "statuss"',
    ],
    [
      'a column both in data and in set',
      withEvent({ data: ['count'], set: { count: 1 } }),
      'EW_COLUMN_TWICE',
      'both in data and in set',
    ],
    [
      'a column carried under two names',
      withEvent({ data: { a: 'count', b: 'count' } }),
      'EW_COLUMN_TWICE',
      'named twice in data',
    ],
    ['a key column in set', withEvent({ set: { code: 'x' } }), 'EW_COLUMN_KEY', 'code is part of the key'],
    [
      'a generated column in data',
      withEvent({ data: ['total'] }),
      'EW_COLUMN_GENERATED',
      'total is a generated column',
    ],
    ['a generated column in set', withEvent({ set: { total: 1 } }), 'EW_COLUMN_GENERATED', 'total'],
    ['a generated column in when', withEvent({ when: is('total', 1) }), 'EW_COLUMN_GENERATED', 'total'],
    [
      'an event called as residue is',
      () => define({ events: { Changed: { creates: true } } }),
      'EW_EVENT_RESERVED',
      'Thing.Changed',
    ],
    [
      'an event called as chosen for residue',
      () => define({ residue: { deleted: 'Created' } }),
      'EW_EVENT_RESERVED',
      'Thing.Created',
    ],
    [
      'one name for both kinds of residue',
      () => define({ residue: { deleted: 'Changed' } }),
      'EW_EVENT_TWICE',
      'both residue events',
    ],
    [
      'no creating event',
      () => define({ events: { Done: { set: { count: 1 } } } }),
      'EW_EVENT_CREATES',
      'no event creates a row',
    ],
    ['no event', () => define({ events: {} }), 'EW_EVENT_CREATES', 'no event creates a row'],
    [
      'an event without a name',
      () => define({ events: { '': { creates: true } } }),
      'EW_EVENT_NAME',
      'is empty',
    ],
    [
      'an event whose place would be lost',
      () => define({ events: { B: { creates: true }, 1: {} } }),
      'EW_EVENT_NAME',
      'is a number',
    ],
    [
      'an event name with NUL',
      () => define({ events: { 'A\0': { creates: true } } }),
      'EW_EVENT_NAME',
      'can not store',
    ],
    [
      'half a surrogate pair',
      () => define({ events: { 'A\ud800': { creates: true } } }),
      'EW_EVENT_NAME',
      'can not store',
    ],
    [
      'an attribute called $residue',
      withEvent({ data: { $residue: 'count' } }),
      'EW_ATTRIBUTE_NAME',
      'kept for residue',
    ],
    ['an attribute with NUL', withEvent({ data: { 'a\0': 'count' } }), 'EW_ATTRIBUTE_NAME', 'can not store'],
    [
      'an attribute that is a fact as well',
      withEvent({ data: ['count'], facts: { count: { '~standard': {} } } }),
      'EW_ATTRIBUTE_TWICE',
      'two attributes are called count',
    ],
    [
      'a table without a key',
      () => define({ table: without([]) }),
      'EW_KEY_MISSING',
      'shop.everything has no key',
    ],
    [
      'a key that the table has not',
      () => define({ table: without(['idd']) }),
      'EW_COLUMN_UNKNOWN',
      'the key',
    ],
    ['updatedAt without a time', () => define({ updatedAt: 'label' }), 'EW_UPDATED_AT', 'label is text'],
    [
      'updatedAt used twice',
      () =>
        define({
          updatedAt: 'changed_at',
          events: { Created: { creates: true, set: { changed_at: occurredAt } } },
        }),
      'EW_UPDATED_AT',
      'used by Created as well',
    ],
  ] as const)('refuses %s', (_, work, code, message) => {
    const error = refusal(work)
    expect(error.code).toBe(code)
    expect(error.message).toContain(message)
    expect(error.next).toMatch(/\S/)
  })

  it('suggests the column that was meant', () => {
    expect(refusal(withEvent({ data: ['cuont'] })).next).toMatch(
      /^Did you mean "count"\? Its columns: id, code/,
    )
  })
})

describe('constants', () => {
  it.each([
    ['count', 'many', '"many" is no value of a bigint column'],
    ['count', '', '"" is no value of a bigint column'],
    ['count', 1.5, '1.5 is no value of a bigint column'],
    ['count', 1e-7, '1e-7 is no value of a bigint column'],
    ['count', true, 'true is no value of a bigint column'],
    ['count', null, 'count is NOT NULL'],
    ['count', 2 ** 53, 'beyond what a number holds exactly'],
    ['count', Number.NaN, 'is not finite'],
    ['ratio', Number.POSITIVE_INFINITY, 'is not finite'],
    ['ratio', -0, 'would be written as 0'],
    ['price', '1,50', '"1,50" is no value of a numeric(10,2) column'],
    ['price', '1.', null],
    ['price', '-1e-3', null],
    ['price', 'NaN', null],
    ['price', 1.5, null],
    ['price', 12345678901234567890n, null],
    ['count', '9007199254740993', null],
    ['count', -3, null],
    ['open', 'true', 'is no value of a boolean column'],
    ['open', false, null],
    ['label', 1, '1 is no value of a text column'],
    ['label', null, null],
    ['days', '{2020-01-01}', null],
    ['day', 'today', 'means another time whenever it is read'],
    ['changed_at', ' NOW ', 'means another time whenever it is read'],
    ['changed_at', '2020-01-01', null],
    ['domain', 1, null],
    ['domain', 'x', null],
  ] as const)('in %s: %s', (column, value, message) => {
    const work = withEvent({ set: { [column]: value } })
    if (message === null) return expect(work).not.toThrow()
    const error = refusal(work)
    expect(error.code).toBe('EW_CONSTANT')
    expect(error.message).toContain(message)
    expect(error.message).toContain(`Thing.Done.set.${column}`)
  })

  it('outside an enum name its labels and the nearest of them', () => {
    const work = () =>
      define({ table: subscriptions, events: { Created: { creates: true, set: { status: 'activ' } } } })
    const error = refusal(work)
    expect(error).toMatchObject({ code: 'EW_CONSTANT', exitStatus: 2 })
    expect(error.message).toBe('Thing.Created.set.status: "activ" is no label of public.subscription_status')
    expect(error.next).toBe('Did you mean "active"? Its labels: "unpaid", "active", "inactive".')
  })

  it('with a character that PostgreSQL can not store are refused', () => {
    for (const value of ['a\0', 'a\ud800']) {
      expect(refusal(withEvent({ set: { label: value } })).message).toContain('can not store')
    }
    expect(withEvent({ set: { label: '\u{1f600}' } })).not.toThrow()
  })

  it('are checked in predicates and lookups as well', () => {
    expect(refusal(withEvent({ when: becomes('count', 'many') })).code).toBe('EW_CONSTANT')
    const wrong = lookup(subscriptions, { status: 'paused' } as never)
    expect(refusal(withEvent({ set: { count: wrong } })).code).toBe('EW_CONSTANT')
    expect(refusal(withEvent({ set: { count: lookup(subscriptions, {}) } })).code).toBe('EW_LOOKUP')
  })
})

describe('occurredAt', () => {
  it.each(['day', 'seen_at', 'changed_at'])('can be bound to %s', (column) => {
    expect(withEvent({ set: { [column]: occurredAt } })).not.toThrow()
  })

  it.each(['label', 'count', 'days', 'domain'])('is refused on %s', (column) => {
    expect(refusal(withEvent({ set: { [column]: occurredAt } })).code).toBe('EW_OCCURRED_AT')
  })
})

describe('what is no definition', () => {
  it.each([
    ['nothing', () => (defineAggregate as (input?: unknown) => unknown)(), 'takes one object'],
    ['a misspelt option', () => define({ evnets: {} }), 'Thing has no option "evnets"'],
    ['a misspelt option of an event', withEvent({ creats: true }), 'Thing.Done has no option "creats"'],
    ['a misspelt option of residue', () => define({ residue: { chnged: 'x' } }), 'has no option "chnged"'],
    ['an empty name', () => define({ name: '' }), 'has no usable name'],
    ['no table', () => define({ table: undefined }), 'has no table'],
    ['events as a list', () => define({ events: [] }), 'has no events'],
    ['an event that is null', withEvent(null), 'Thing.Done is no event'],
    ['data as a text', withEvent({ data: 'count' }), 'Thing.Done.data'],
    ['data of numbers', withEvent({ data: [1] }), 'Thing.Done.data'],
    ['set as a list', withEvent({ set: ['count'] }), 'Thing.Done.set'],
    ['a Date', withEvent({ set: { changed_at: new Date(0) } }), 'Thing.Done.set.changed_at is no value'],
    ['undefined in set', withEvent({ set: { count: undefined } }), 'Thing.Done.set.count is no value'],
    ['a function as when', withEvent({ when: () => true }), 'Thing.Done.when'],
    ['a predicate of another kind', withEvent({ when: { op: 'xor', of: [] } }), 'Thing.Done.when'],
    ['a fact without a schema', withEvent({ facts: { reason: String } }), 'is no Standard Schema'],
    ['version 0', withEvent({ schemaVersion: 0 }), 'a whole number above 0'],
    ['a version beyond int', withEvent({ schemaVersion: 2 ** 31 }), 'a whole number above 0'],
    ['creates: "yes"', withEvent({ creates: 'yes' }), 'Thing.Done.creates'],
    ['another way of direct writes', () => define({ directWrites: 'ignore' }), '"capture" or "refuse"'],
  ] as const)('%s is refused', (_, work, message) => {
    const error = refusal(work)
    expect(error.code).toBe('EW_DEFINITION')
    expect(error.message).toContain(message)
    expect(error.next).toMatch(/\S/)
  })
})
