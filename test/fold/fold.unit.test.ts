import { describe, expect, it } from 'vitest'
import type { BoundColumn, BoundModel, EventShape } from '../../src/definition/index.js'
import {
  compileFold,
  foldStream,
  HistoryFolder,
  historyEntries,
  lastSetters,
  rowAt,
  type StoredEvent,
} from '../../src/fold/index.js'

const column = (name: string, more: Partial<BoundColumn> = {}): BoundColumn => ({
  name,
  attnum: 1,
  castType: 'pg_catalog.text',
  declaredType: 'text',
  encoding: 'text',
  faithful: true,
  composite: false,
  plainText: true,
  nullable: true,
  temporal: null,
  known: true,
  ...more,
})

const shape = (type: string, effect: EventShape['effect'], more: Partial<EventShape> = {}): EventShape => ({
  type,
  schemaVersion: 1,
  effect,
  data: [],
  facts: [],
  constants: [],
  bound: [],
  ...more,
})

const model: BoundModel = {
  name: 'Subscription',
  schema: 'public',
  table: 'subscriptions',
  key: ['id'],
  columns: [
    column('id', { encoding: 'number' }),
    column('user_id', { encoding: 'number' }),
    column('status'),
    column('stripe_key'),
    column('reason'),
    column('$odd'),
    column('created_at', { temporal: 'timestamptz' }),
    column('activated_at', { temporal: 'timestamp' }),
    column('activated_on', { temporal: 'date' }),
  ],
  events: [],
  shapes: [
    shape('Created', 'creates', {
      data: [{ attribute: 'user_id', column: 'user_id' }],
      constants: [{ column: 'status', value: 'unpaid' }],
      bound: ['created_at'],
    }),
    shape('Activated', 'changes', {
      data: [{ attribute: 'stripeKey', column: 'stripe_key' }],
      facts: ['reason'],
      constants: [{ column: 'status', value: 'active' }],
      bound: ['activated_at', 'activated_on'],
    }),
    shape('Activated', 'changes', { schemaVersion: 2, constants: [{ column: 'gone', value: 'x' }] }),
    shape('Changed', 'changes'),
    shape('Deleted', 'deletes'),
  ],
  updatedAt: null,
  timeZone: 'Europe/Berlin',
  residue: { changed: 'Changed', deleted: 'Deleted' },
  hash: '',
}

let next = 0
const event = (type: string, data = '{}', more: Partial<StoredEvent> = {}): StoredEvent => {
  next += 1
  return {
    aggregateId: '12',
    version: next,
    type,
    schemaVersion: 1,
    data,
    occurredAt: '2018-02-01 23:30:00+00',
    localTime: '2018-02-02 00:30:00',
    ...more,
  }
}
const stream = (...events: (() => StoredEvent)[]) => {
  next = 0
  return events.map((make) => make())
}

const created = () => event('Created', '{"user_id": 12345678901234567890}')
const activated = () => event('Activated', '{"stripeKey": "sub_1", "reason": "a fact"}')

describe('fold', () => {
  it('sets constants, times of occurrence in their zone, and what the data carry, to the last digit', () => {
    expect(foldStream(model, stream(created, activated))).toEqual({
      problem: null,
      row: {
        id: '12',
        user_id: '12345678901234567890',
        status: 'active',
        stripe_key: 'sub_1',
        reason: null,
        $odd: null,
        created_at: '2018-02-01 23:30:00+00',
        activated_at: '2018-02-02 00:30:00',
        activated_on: '2018-02-02',
      },
    })
  })

  it('changes neither the row nor the event that it is given', () => {
    const [first, second] = stream(created, activated)
    const apply = compileFold(model)
    const row = Object.freeze(apply(null, Object.freeze(first!)))
    expect(apply(row, Object.freeze(second!))).not.toBe(row)
    expect(row).toMatchObject({ status: 'unpaid', stripe_key: null })
  })

  it('takes residue for columns whatever their names, and members that name none for nothing', () => {
    const changed = () =>
      event('Changed', '{"$residue": {"$odd": "o", "reason": "r"}, "status": "x", "nothing": 1}')
    expect(foldStream(model, stream(created, changed)).row).toMatchObject({
      $odd: 'o',
      reason: 'r',
      status: 'x',
    })
  })

  it('sets nothing for an attribute that is absent, nor for a column that is gone', () => {
    const bare = () => event('Activated', '{}')
    const second = () => event('Activated', '{}', { schemaVersion: 2 })
    const { row, problem } = foldStream(model, stream(created, activated, bare, second))
    expect(problem).toBeNull()
    expect(row).toMatchObject({ stripe_key: 'sub_1' })
    expect(row).not.toHaveProperty('gone')
  })

  it('starts anew at a creation that follows a removal', () => {
    const { row } = foldStream(
      model,
      stream(created, activated, () => event('Deleted'), created),
    )
    expect(row).toMatchObject({ status: 'unpaid', stripe_key: null, activated_at: null })
  })

  it.each([
    ['version_gap', 3, () => [created, () => event('Changed', '{}', { version: 3 })]],
    ['unknown_event', 2, () => [created, () => event('Paused')]],
    ['unknown_event', 2, () => [created, () => event('Activated', '{}', { schemaVersion: 3 })]],
    ['not_created', 1, () => [activated]],
    ['not_created', 3, () => [created, () => event('Deleted'), activated]],
    ['not_created', 1, () => [() => event('Deleted')]],
    ['not_created', 3, () => [created, () => event('Deleted'), () => event('Deleted')]],
    ['created_twice', 3, () => [created, activated, created]],
    ['version_gap', 2, () => [() => event('Activated', '{}', { version: 2 })]],
  ] as const)('reports %s at version %i', (kind, version, events) => {
    expect(foldStream(model, stream(...events())).problem).toEqual({ kind, version })
  })
})

describe('lastSetters', () => {
  it('names the event that last set each column; a creation sets all', () => {
    const setters = lastSetters(model, stream(created, activated))
    expect([...setters].map(([name, { version }]) => [name, version])).toEqual([
      ['id', 1],
      ['user_id', 1],
      ['status', 2],
      ['stripe_key', 2],
      ['reason', 1],
      ['$odd', 1],
      ['created_at', 1],
      ['activated_at', 2],
      ['activated_on', 2],
    ])
  })

  it('has none once the row is gone', () => {
    expect(
      lastSetters(
        model,
        stream(created, () => event('Deleted')),
      ).size,
    ).toBe(0)
  })
})

describe('rowAt', () => {
  const at = (time: string) => (make: () => StoredEvent) => () => ({ ...make(), occurredAt: time })
  const history = () =>
    stream(
      at('2018-02-01 00:00:00+00')(created),
      at('2018-02-03 00:00:00+00')(activated),
      at('2018-02-02 00:00:00+00')(() => event('Changed', '{"status": "late"}')),
    )

  it('gives the row at a version', () => {
    expect(rowAt(model, history(), { version: 1 })).toMatchObject({ version: 1, row: { status: 'unpaid' } })
    expect(rowAt(model, history(), { version: 0 })).toEqual({ version: 0, row: null, outOfOrder: [] })
    expect(rowAt(model, history(), { version: 9 })).toMatchObject({ version: 3, row: { status: 'late' } })
  })

  it('takes the longest prefix whose times are all at or before the asked one, and says what stands behind it', () => {
    expect(rowAt(model, history(), { time: '2018-02-02 12:00:00+00' })).toMatchObject({
      version: 1,
      row: { status: 'unpaid' },
      outOfOrder: [3],
    })
    expect(rowAt(model, history(), { time: '2018-02-03 00:00:00+00' })).toMatchObject({
      version: 3,
      outOfOrder: [],
    })
    expect(rowAt(model, history(), { time: '0044-03-15 00:00:00+00 BC' }).row).toBeNull()
  })
})

describe('historyEntries', () => {
  const entries = () =>
    historyEntries(
      model,
      stream(
        () => event('Created', '{"user_id": 7, "reason": "old", "$residue": {"$odd": "o"}}'),
        activated,
        () => event('Changed', '{"status": "late"}'),
        () => event('Changed', '{"status": "late"}'),
        () => event('Deleted'),
      ),
    )

  it('tells what each event changed, the key left out', () => {
    const [creation, activation, change, nothing, end] = entries()
    expect(creation?.changed.map(({ column, after }) => `${column} ${after}`)).toEqual([
      'user_id 7',
      'status unpaid',
      'reason old',
      '$odd o',
      'created_at 2018-02-01 23:30:00+00',
    ])
    expect(activation?.changed[0]).toEqual({ column: 'status', before: 'unpaid', after: 'active' })
    expect(change?.changed).toEqual([{ column: 'status', before: 'active', after: 'late' }])
    expect(nothing?.changed).toEqual([])
    expect(end?.row).toBeNull()
    expect(end?.changed).toContainEqual({ column: 'status', before: 'late', after: null })
  })

  it('marks the residue, names what a creation carries undeclared, and gives facts as JSON', () => {
    const [creation, activation, change] = entries()
    expect(creation).toMatchObject({ residue: false, undeclared: ['reason', '$odd'], facts: {} })
    expect(activation).toMatchObject({ residue: false, undeclared: [], facts: { reason: '"a fact"' } })
    expect(change).toMatchObject({ residue: true, undeclared: [], facts: {} })
  })

  it('goes on from a row, as a later page of a stream does', () => {
    const folder = new HistoryFolder(model)
    const events = stream(created, activated, () => event('Changed', '{"status": "late"}'))
    const whole = events.map((one) => folder.add(one))
    expect(historyEntries(model, events.slice(2), whole[1]?.row ?? null)).toEqual(whole.slice(2))
  })
})
