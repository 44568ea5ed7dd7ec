import { AssertionError } from 'node:assert'
import { describe, expect, it } from 'vitest'
import { defineAggregate, defineTable, type Integer } from '../../src/index.js'
import { expectLossless } from '../../src/testing/index.js'
import { Subscription } from '../support/subscription.js'
import { Reward } from './reward.js'

const unpaid = {
  id: 12,
  user_id: 123,
  reward_id: 334,
  payment_source_key: 'pm_1',
  status: 'unpaid',
  stripe_key: null,
  created_at: '2018-02-01 00:00:00+00',
  activated_at: null,
  deactivated_at: null,
} as const
const active = {
  ...unpaid,
  status: 'active',
  stripe_key: 'sub_66123',
  activated_at: '2018-02-03T10:00:00.120Z',
} as const
const inactive = { ...active, status: 'inactive', deactivated_at: '2018-04-06 00:00:00+00' } as const

const failure = (run: () => unknown): AssertionError => {
  try {
    run()
  } catch (error) {
    if (error instanceof AssertionError) return error
    throw error
  }
  throw new RangeError('it held')
}

describe('rows', () => {
  it('come back from their events, which are told', () => {
    const [first, second] = expectLossless(Subscription, [unpaid, active])
    expect(first).toEqual({
      events: [
        {
          type: 'Created',
          data: { user_id: '123', reward_id: '334', payment_source_key: 'pm_1' },
          at: '2018-02-01 00:00:00+00',
        },
      ],
      unexplained: null,
    })
    expect(second?.events.map(({ type, at }) => [type, at])).toEqual([
      ['Created', '2018-02-01 00:00:00+00'],
      ['Activated', '2018-02-03 10:00:00.12+00'],
    ])
  })

  it('come back from what changed them, made them, removed them, gave them another key', () => {
    const types = expectLossless(Subscription, [
      [unpaid, active],
      [active, inactive],
      [null, unpaid],
      [unpaid, null],
      [unpaid, { ...unpaid, id: 13 }],
      [unpaid, unpaid],
    ]).map(({ events }) => events.map(({ type }) => type))
    expect(types).toEqual([
      ['Activated'],
      ['Deactivated'],
      ['Created'],
      ['Deleted'],
      ['Deleted', 'Created'],
      [],
    ])
  })

  it('with what no event explains are told, and refused unless that’s well', () => {
    const odd = { ...unpaid, deactivated_at: '2018-04-06 00:00:00+00', status: 'active' } as const
    const error = failure(() =>
      expectLossless(Subscription, [unpaid, odd, [unpaid, { ...unpaid, user_id: 9 }]]),
    )
    expect(error.message).toContain('row 2: status = "active"')
    expect(error.message).toContain('row 3: user_id = "9"')
    expect(error.actual).toEqual([
      { row: 2, unexplained: { status: 'active' } },
      { row: 3, unexplained: { user_id: '9' } },
    ])
    const [, second] = expectLossless(Subscription, [unpaid, odd], { allowResidue: true })
    expect(second?.events.map(({ type }) => type)).toEqual(['Created', 'Deactivated', 'Changed'])
    expect(second?.unexplained).toEqual({ status: 'active' })
  })

  it('of a zone of their own keep their local times, in the hours that it skips and repeats too', () => {
    const retired = (retired_at: string) =>
      ({ id: 1, title: 'a', price: null, active: false, retired_at, updated_at: null }) as const
    const times = [
      '2018-07-01 12:00:00.5',
      '2018-03-25 01:59:59',
      '2018-10-28 02:30:00',
      '2018-10-28 03:00:00',
    ]
    const all = expectLossless(Reward, times.map(retired))
    expect(all.map(({ events }) => events.at(-1)?.at)).toEqual([
      '2018-07-01 10:00:00.5+00',
      '2018-03-25 00:59:59+00',
      '2018-10-28 01:30:00+00',
      '2018-10-28 02:00:00+00',
    ])
    // A clock that the zone never showed is no instant's: it stays what it is, as residue.
    const skipped = expectLossless(Reward, [retired('2018-03-25 02:30:00')], { allowResidue: true })
    expect(skipped[0]?.events.find(({ type }) => type === 'Retired')?.at).toBe('2018-03-25 01:30:00+00')
  })

  it('that are none of the table are refused', () => {
    const { user_id: _, ...short } = unpaid
    const wrong: readonly [row: object, code: string][] = [
      [short, 'EW_TESTING_ROW'],
      [{ ...unpaid, colour: 'red' }, 'EW_TESTING_ROW'],
      [{ ...unpaid, created_at: new Date(0) }, 'EW_TESTING_ROW'],
      [{ ...unpaid, status: 'paused' }, 'EW_CONSTANT'],
      [{ ...unpaid, user_id: null }, 'EW_CONSTANT'],
      [{ ...unpaid, user_id: '9223372036854775808' }, 'EW_CONSTANT'],
      [{ ...unpaid, created_at: 'February 1st' }, 'EW_CONSTANT'],
    ]
    for (const [row, code] of wrong) {
      expect(() => expectLossless(Subscription, [row as never])).toThrow(expect.objectContaining({ code }))
    }
  })
})

describe('what code does', () => {
  const counters = defineTable<{ id: Integer; value: Integer }>()({
    schema: 'public',
    name: 'counters',
    key: ['id'],
    columns: { id: { type: 'integer', nullable: false }, value: { type: 'integer', nullable: false } },
  })
  const Counter = defineAggregate({
    name: 'Counter',
    table: counters,
    events: { Started: { creates: true, data: ['value'] }, Doubled: {} },
    apply: { Doubled: ({ value }) => ({ value: BigInt(value) * 2n }) },
  })

  it('is recognised in no row, so that its change is unexplained', () => {
    const change = [
      { id: 1, value: 2 },
      { id: 1, value: 4 },
    ] as const
    expect(failure(() => expectLossless(Counter, [change])).actual).toEqual([
      { row: 1, unexplained: { value: '4' } },
    ])
  })
})
