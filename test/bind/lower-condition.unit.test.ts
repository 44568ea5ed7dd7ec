import { describe, expect, it } from 'vitest'
import { eventCondition, lowerPredicate } from '../../src/bind/lower-condition.js'
import type { Condition, EventDefinition, EventShape, Predicate, Text } from '../../src/definition/index.js'

const text = (_: string, value: unknown): Text => (value === null ? null : String(value))

type Row = Readonly<Record<string, string | null>>

/** What the core of conditions means, in the words of model.ts: the oracle of these tests. */
function holds(condition: Condition, before: Row | null, after: Row): boolean {
  switch (condition.op) {
    case 'creating':
      return before === null
    case 'afterIs':
      return (after[condition.column] ?? null) === condition.value
    case 'beforeIs':
      return before !== null && (before[condition.column] ?? null) === condition.value
    case 'differs':
      return (before?.[condition.column] ?? null) !== (after[condition.column] ?? null)
    case 'and':
      return condition.of.every((part) => holds(part, before, after))
    case 'or':
      return condition.of.some((part) => holds(part, before, after))
    case 'not':
      return !holds(condition.of, before, after)
  }
}

const stated = (predicate: Predicate, before: Row | null, after: Row) =>
  holds(lowerPredicate(predicate, text), before, after)

const event = (more: Partial<EventDefinition> = {}): EventDefinition => ({
  type: 'Activated',
  schemaVersion: 1,
  creates: false,
  data: [],
  facts: [],
  set: [],
  when: null,
  ...more,
})

const shape = (more: Partial<EventShape> = {}): EventShape => ({
  type: 'Activated',
  schemaVersion: 1,
  effect: 'changes',
  data: [],
  facts: [],
  constants: [],
  bound: [],
  ...more,
})

const implied = (more: Partial<EventShape>, before: Row | null, after: Row) =>
  holds(eventCondition(event({ creates: more.effect === 'creates' }), shape(more), text), before, after)

describe('a predicate', () => {
  it('becomes holds when the value is reached, on creation too, and not while it stays', () => {
    const becomes: Predicate = { op: 'becomes', column: 's', value: 'a' }
    expect(stated(becomes, null, { s: 'a' })).toBe(true)
    expect(stated(becomes, { s: 'b' }, { s: 'a' })).toBe(true)
    expect(stated(becomes, { s: 'a' }, { s: 'a' })).toBe(false)
    expect(stated(becomes, { s: 'a' }, { s: 'b' })).toBe(false)
  })

  it('becomes null holds where a value is taken away', () => {
    const becomes: Predicate = { op: 'becomes', column: 's', value: null }
    expect(stated(becomes, { s: 'a' }, { s: null })).toBe(true)
    expect(stated(becomes, { s: null }, { s: null })).toBe(false)
    expect(stated(becomes, null, { s: null })).toBe(true)
  })

  it('becameNotNull does not hold for a value that changes', () => {
    const became: Predicate = { op: 'becameNotNull', column: 't' }
    expect(stated(became, null, { t: '1' })).toBe(true)
    expect(stated(became, { t: null }, { t: '1' })).toBe(true)
    expect(stated(became, { t: '1' }, { t: '2' })).toBe(false)
    expect(stated(became, { t: null }, { t: null })).toBe(false)
  })

  it('was is false of a row that did not exist', () => {
    expect(stated({ op: 'was', column: 's', value: null }, null, { s: 'a' })).toBe(false)
    expect(stated({ op: 'not', of: { op: 'was', column: 's', value: 'a' } }, null, { s: 'a' })).toBe(true)
  })

  it('and of nothing holds, or of nothing does not', () => {
    expect(stated({ op: 'and', of: [] }, null, {})).toBe(true)
    expect(stated({ op: 'or', of: [] }, null, {})).toBe(false)
  })
})

describe('an event without a condition', () => {
  const activated = { constants: [{ column: 's', value: 'active' }], bound: ['at'] }

  it('with a bound column is meant on creation wherever that is not null, whatever its constants', () => {
    expect(implied(activated, null, { s: 'unpaid', at: '1' })).toBe(true)
    expect(implied(activated, null, { s: 'active', at: null })).toBe(false)
  })

  it('correcting a date on an inactive row activates nothing', () => {
    expect(implied(activated, { s: 'inactive', at: '1' }, { s: 'inactive', at: '2' })).toBe(false)
    expect(implied(activated, { s: 'active', at: '1' }, { s: 'active', at: '2' })).toBe(true)
    expect(implied(activated, { s: 'active', at: '1' }, { s: 'active', at: '1' })).toBe(false)
    expect(implied(activated, { s: 'active', at: '1' }, { s: 'active', at: null })).toBe(false)
  })

  it('is triggered by the first of several bound columns', () => {
    const two = { bound: ['at', 'also'] }
    expect(implied(two, { at: '1', also: '1' }, { at: '1', also: '2' })).toBe(false)
    expect(implied(two, { at: '1', also: '1' }, { at: '2', also: '1' })).toBe(true)
  })

  it('with constants alone is meant when all of them hold and did not all hold before', () => {
    const paused = {
      constants: [
        { column: 's', value: 'paused' },
        { column: 'n', value: null },
      ],
    }
    expect(implied(paused, { s: 'paused', n: '1' }, { s: 'paused', n: null })).toBe(true)
    expect(implied(paused, { s: 'paused', n: null }, { s: 'paused', n: null })).toBe(false)
    expect(implied(paused, { s: 'a', n: null }, { s: 'paused', n: '1' })).toBe(false)
    expect(implied(paused, null, { s: 'paused', n: null })).toBe(true)
  })

  it('with data alone is meant on an update of one of its columns, never on creation', () => {
    const moved = {
      data: [
        { attribute: 'a', column: 'a' },
        { attribute: 'b', column: 'b' },
      ],
    }
    expect(implied(moved, null, { a: '1', b: '2' })).toBe(false)
    expect(implied(moved, { a: '1', b: '2' }, { a: '1', b: '3' })).toBe(true)
    expect(implied(moved, { a: '1', b: '2' }, { a: '1', b: '2' })).toBe(false)
  })

  it('with facts alone is never meant: only a command can give them', () => {
    expect(implied({ facts: ['why'] }, null, { a: '1' })).toBe(false)
    expect(implied({ facts: ['why'] }, { a: '1' }, { a: '2' })).toBe(false)
  })

  it('that creates is meant on a creation only', () => {
    const created = { effect: 'creates', bound: ['at'] } as const
    expect(implied(created, null, { at: '1' })).toBe(true)
    expect(implied(created, null, { at: null })).toBe(false)
    expect(implied(created, { at: '1' }, { at: '2' })).toBe(false)
    expect(implied({ effect: 'creates', data: [{ attribute: 'a', column: 'a' }] }, null, {})).toBe(true)
  })
})
