import { describe, expect, it } from 'vitest'
import { assembleModel } from '../../src/bind/assemble-model.js'
import { freezeDeep } from '../../src/bind/freeze-deep.js'
import type { AggregateDefinition, EventDefinition, EventShape } from '../../src/definition/index.js'
import { catalogTable, column } from '../catalog/catalog-fixture.js'

const table = catalogTable('subscriptions', [
  column('id', 'int8', { nullable: false }),
  column('user_id', 'int8'),
  column('reward_id', 'int8'),
  column('status', 'text'),
  column('activated_at', 'timestamptz'),
  column('twice', 'int4', { generated: true }),
  column('added', 'text'),
])

const described = Object.fromEntries(
  table.columns
    .filter(({ name }) => name !== 'added')
    .map(({ name }) => [name, { type: 'x', nullable: true }]),
)

const event = (type: string, more: Partial<EventDefinition>): EventDefinition => ({
  type,
  schemaVersion: 1,
  creates: false,
  data: [],
  facts: [],
  set: [],
  when: null,
  ...more,
})

const carried = (name: string) => ({ attribute: name, column: name })
const constant = (name: string, value: string) => ({ kind: 'constant', column: name, value }) as const
const created = event('Created', { creates: true, data: [carried('user_id'), carried('reward_id')] })
const activated = event('Activated', {
  set: [constant('status', 'active'), { kind: 'occurredAt', column: 'activated_at' }],
})

function definition(events: readonly EventDefinition[], more: Partial<AggregateDefinition> = {}) {
  return {
    name: 'Subscription',
    table: { schema: 'public', name: 'subscriptions', key: ['id'], columns: described },
    events,
    updatedAt: null,
    timeZone: 'UTC',
    directWrites: 'capture',
    residue: { changed: 'Changed', deleted: 'Deleted' },
    ...more,
  } as const
}

const values = {
  canonical: (_: string, value: unknown) => (value === null ? null : String(value)),
  assigned: (assignment: { readonly kind: string }) =>
    'value' in assignment ? String(assignment.value) : null,
}

const model = (subject: AggregateDefinition, frozen: readonly EventShape[] = []) =>
  assembleModel(subject, table, { values, frozen })

const hash = (events: readonly EventDefinition[], more: Partial<AggregateDefinition> = {}) =>
  model(definition(events, more)).hash

describe('assembleModel', () => {
  it('lists every stored column of the live table, generated ones left out, strangers marked', () => {
    const { columns } = model(definition([created]))
    expect(columns.map(({ name }) => name)).toEqual([
      'id',
      'user_id',
      'reward_id',
      'status',
      'activated_at',
      'added',
    ])
    expect(columns.filter(({ known }) => !known).map(({ name }) => name)).toEqual(['added'])
  })

  it('keeps shapes that are no longer declared, and lets the declared meaning of a version win', () => {
    const old = (type: string, schemaVersion: number): EventShape => ({
      type,
      schemaVersion,
      effect: 'changes',
      data: [carried('status')],
      facts: [],
      constants: [],
      bound: [],
    })
    const frozen = [old('Activated', 1), old('Suspended', 1), old('Changed', 1)]
    const { shapes } = model(definition([created, { ...activated, schemaVersion: 2 }]), frozen)
    const names = shapes.map(({ type, schemaVersion, data }) => `${type} ${schemaVersion} ${data.length}`)
    expect(names).toEqual([
      'Created 1 2',
      'Activated 2 0',
      'Changed 1 0',
      'Deleted 1 0',
      'Activated 1 1',
      'Suspended 1 1',
    ])
    expect(shapes.find(({ type }) => type === 'Deleted')?.effect).toBe('deletes')
  })

  it('can be frozen through and through', () => {
    const frozen = freezeDeep(model(definition([created, activated])))
    const [, event] = frozen.events
    expect(Object.isFrozen(event?.constants[0])).toBe(true)
    expect(() => Object.assign(event?.constants[0] ?? {}, { value: 'x' })).toThrow(TypeError)
  })
})

describe('the hash of a definition', () => {
  it('does not depend on the order in which properties, columns and constants are written', () => {
    const turned = event('Created', { creates: true, data: [carried('reward_id'), carried('user_id')] })
    const set = [...activated.set].reverse()
    const reordered = Object.fromEntries(Object.entries({ ...activated, set }).reverse())
    expect(hash([turned, reordered as unknown as EventDefinition])).toBe(hash([created, activated]))
  })

  it('does not depend on columns that the definition does not know', () => {
    const wider = { ...table, columns: [...table.columns, column('later', 'text')] }
    const subject = definition([created, activated])
    expect(assembleModel(subject, wider, { values, frozen: [] }).hash).toBe(hash([created, activated]))
  })

  it.each([
    [
      'a renamed attribute',
      [event('Created', { creates: true, data: [{ attribute: 'u', column: 'user_id' }] })],
      {},
    ],
    ['another constant', [created, event('Activated', { set: [constant('status', 'on')] })], {}],
    ['another version', [created, { ...activated, schemaVersion: 2 }], {}],
    ['another order of events', [activated, created], {}],
    ['another time zone', [created, activated], { timeZone: 'Europe/Berlin' }],
    ['another name of residue', [created, activated], { residue: { changed: 'Edited', deleted: 'Deleted' } }],
    ['an updatedAt', [created, activated], { updatedAt: 'activated_at' }],
  ] as const)('changes with %s', (_, events, more) => {
    expect(hash(events, more)).not.toBe(hash([created, activated]))
  })
})
