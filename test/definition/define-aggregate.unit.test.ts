import { describe, expect, it } from 'vitest'
import {
  and,
  becameNotNull,
  becomes,
  changes,
  defineAggregate,
  defineTable,
  is,
  lookup,
  not,
  occurredAt,
  or,
  was,
} from '../../src/definition/index.js'
import { Subscription, subscriptions } from '../support/subscription.js'

describe('a definition', () => {
  it('becomes plain data, in order of declaration', () => {
    expect(Subscription).toEqual({
      name: 'Subscription',
      table: subscriptions,
      updatedAt: null,
      timeZone: 'UTC',
      directWrites: 'capture',
      residue: { changed: 'Changed', deleted: 'Deleted' },
      events: [
        {
          type: 'Created',
          schemaVersion: 1,
          creates: true,
          data: ['user_id', 'reward_id', 'payment_source_key'].map((name) => ({
            attribute: name,
            column: name,
          })),
          facts: [],
          set: [
            { kind: 'constant', column: 'status', value: 'unpaid' },
            { kind: 'occurredAt', column: 'created_at' },
          ],
          when: null,
        },
        {
          type: 'Activated',
          schemaVersion: 1,
          creates: false,
          data: [{ attribute: 'stripe_key', column: 'stripe_key' }],
          facts: [],
          set: [
            { kind: 'constant', column: 'status', value: 'active' },
            { kind: 'occurredAt', column: 'activated_at' },
          ],
          when: null,
        },
        {
          type: 'Deactivated',
          schemaVersion: 1,
          creates: false,
          data: [],
          facts: [],
          set: [
            { kind: 'constant', column: 'status', value: 'inactive' },
            { kind: 'occurredAt', column: 'deactivated_at' },
          ],
          when: null,
        },
      ],
    })
  })

  it('is frozen through and through', () => {
    const all = defineAggregate({
      name: 'Subscription',
      table: subscriptions,
      events: {
        Created: { creates: true },
        Paused: {
          data: { key: 'stripe_key' },
          set: { status: 'inactive', user_id: lookup(subscriptions, { stripe_key: 'x' }) },
          when: and(or(is('status', 'active'), changes('user_id')), not(was('status', 'unpaid'))),
        },
      },
    })
    expect(thawed(all)).toEqual([])
    expect(thawed(Subscription)).toEqual([])
  })

  it('carries columns under other names, facts beside them, and another version', () => {
    const reason = {
      '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
    } as const
    const { events } = defineAggregate({
      name: 'Subscription',
      table: subscriptions,
      events: {
        Created: { creates: true },
        Activated: { schemaVersion: 3, data: { stripeKey: 'stripe_key' }, facts: { reason } },
      },
    })
    expect(events[1]).toEqual({
      type: 'Activated',
      schemaVersion: 3,
      creates: false,
      data: [{ attribute: 'stripeKey', column: 'stripe_key' }],
      facts: ['reason'],
      factSchemas: { reason },
      set: [],
      when: null,
    })
    expect(Object.isFrozen(reason)).toBe(false)
  })

  it('lets an attribute bear the name of another column', () => {
    const { events } = defineAggregate({
      name: 'Subscription',
      table: subscriptions,
      events: {
        Created: { creates: true, data: { status: 'stripe_key', stripe_key: 'payment_source_key' } },
      },
    })
    expect(events[0]?.data).toEqual([
      { attribute: 'status', column: 'stripe_key' },
      { attribute: 'stripe_key', column: 'payment_source_key' },
    ])
  })

  it('pins a lookup to a table and the columns by which a row is found', () => {
    const { events } = defineAggregate({
      name: 'Subscription',
      table: subscriptions,
      events: {
        Created: { creates: true, set: { user_id: lookup(subscriptions, { status: 'active', id: 1n }) } },
      },
    })
    expect(events[0]?.set).toEqual([
      { kind: 'lookup', column: 'user_id', table: subscriptions, where: { status: 'active', id: 1n } },
    ])
  })

  it('may use the residue names for its own events once residue is called otherwise', () => {
    const { residue, events } = defineAggregate({
      name: 'Subscription',
      table: subscriptions,
      residue: { changed: 'Edited', deleted: 'Removed' },
      events: {
        Created: { creates: true },
        Changed: { data: ['user_id'] },
        Deleted: { data: ['reward_id'] },
      },
    })
    expect(residue).toEqual({ changed: 'Edited', deleted: 'Removed' })
    expect(events.map(({ type }) => type)).toEqual(['Created', 'Changed', 'Deleted'])
  })

  it('keeps its own copy of what it was made of', () => {
    const data = ['user_id']
    const set: { status: 'active' | 'inactive' } = { status: 'active' }
    const { events } = defineAggregate({
      name: 'Subscription',
      table: subscriptions,
      // @ts-expect-error a list of any strings may name any column: write the columns out
      events: { Created: { creates: true, data, set } },
    })
    data.push('nonsense')
    set.status = 'inactive'
    expect(events[0]?.data).toEqual([{ attribute: 'user_id', column: 'user_id' }])
    expect(events[0]?.set).toEqual([{ kind: 'constant', column: 'status', value: 'active' }])
  })
})

describe('predicates', () => {
  it('are plain data', () => {
    expect(
      and(or(is('a', 1), was('b', null)), not(becomes('c', 'x')), and(becameNotNull('d'), changes('e'))),
    ).toEqual({
      op: 'and',
      of: [
        {
          op: 'or',
          of: [
            { op: 'is', column: 'a', value: 1 },
            { op: 'was', column: 'b', value: null },
          ],
        },
        { op: 'not', of: { op: 'becomes', column: 'c', value: 'x' } },
        {
          op: 'and',
          of: [
            { op: 'becameNotNull', column: 'd' },
            { op: 'changes', column: 'e' },
          ],
        },
      ],
    })
  })
})

describe('a table', () => {
  it('may have columns named as members of every object', () => {
    interface OddRow {
      constructor: string
      ['__proto__']: string
    }
    const odd = defineTable<OddRow>()({
      schema: 'public',
      name: 'odd',
      key: ['constructor'],
      columns: {
        constructor: { type: 'text', nullable: false },
        ['__proto__']: { type: 'text', nullable: false },
      },
    })
    expect(Object.keys(odd.columns)).toEqual(['constructor', '__proto__'])
    const { events } = defineAggregate({
      name: 'Odd',
      table: odd,
      events: { Created: { creates: true, data: ['__proto__'], set: {} } },
    })
    expect(events[0]?.data).toEqual([{ attribute: '__proto__', column: '__proto__' }])
    expect(() =>
      defineAggregate({
        name: 'Odd',
        table: odd,
        // @ts-expect-error no such column
        events: { Created: { creates: true, data: ['toString'] } },
      }),
    ).toThrow('has no column "toString"')
  })

  it('takes occurredAt on a domain over a time, and constants of a domain over an integer', () => {
    interface VisitsRow {
      id: number
      seen: string
      stars: number
    }
    const visits = defineTable<VisitsRow>()({
      schema: 'public',
      name: 'visits',
      key: ['id'],
      columns: {
        id: { type: 'integer', nullable: false },
        seen: { type: 'public.moment', base: 'timestamptz', nullable: false },
        stars: { type: 'public.stars', base: 'int4', nullable: false },
      },
    })
    const { events } = defineAggregate({
      name: 'Visit',
      table: visits,
      events: { Created: { creates: true, set: { seen: occurredAt, stars: 1 } } },
    })
    expect(events[0]?.set).toEqual([
      { kind: 'occurredAt', column: 'seen' },
      { kind: 'constant', column: 'stars', value: 1 },
    ])
  })
})

/** Paths of all objects that can still be changed. */
function thawed(value: unknown, path = '$'): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  const below = Object.entries(value).flatMap(([name, member]) => thawed(member, `${path}.${name}`))
  return Object.isFrozen(value) ? below : [path, ...below]
}
