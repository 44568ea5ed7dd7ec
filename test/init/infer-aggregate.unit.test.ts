import { describe, expect, it } from 'vitest'
import type { CatalogColumn } from '../../src/catalog/index.js'
import { inferAggregate } from '../../src/init/index.js'
import { catalogTable, column, enumColumn } from '../catalog/catalog-fixture.js'

const id = column('id', 'int8', { nullable: false })
const time = (name: string) => column(name, 'timestamptz')

/** The inferred events in a short form: `Activated status=active activated_at@ stripe_key`. */
function infer(
  columns: readonly CatalogColumn[],
  statuses: Readonly<Record<string, readonly string[]>> = {},
  name = 'things',
) {
  const aggregate = inferAggregate(catalogTable(name, [id, ...columns]), {
    name: 'Thing',
    statuses: new Map(Object.entries(statuses)),
    timeZone: 'UTC',
  })
  const events = aggregate.events.map(({ type, data, set }) => {
    const assignments = set.map((assignment) =>
      assignment.kind === 'occurredAt' ? `${assignment.column}@` : `${assignment.column}=${assignment.value}`,
    )
    return [type, ...assignments, ...data].join(' ')
  })
  return { events, updatedAt: aggregate.updatedAt, timeZone: aggregate.timeZone }
}

describe('the subscriptions of the talk', () => {
  const status = enumColumn('status', ['unpaid', 'active', 'inactive', 'paused'], { nullable: false })
  const subscriptions = [
    column('user_id', 'int8'),
    column('reward_id', 'int8'),
    status,
    column('stripe_key', 'text'),
    time('created_at'),
    time('activated_at'),
    time('deactivated_at'),
  ]

  it('become Created, Activated and Deactivated', () => {
    expect(infer(subscriptions, { status: ['active', 'unpaid', 'inactive'] }).events).toEqual([
      'Created status=unpaid created_at@ user_id reward_id stripe_key',
      'Activated status=active activated_at@',
      'Deactivated status=inactive deactivated_at@',
    ])
  })

  it('get an event for each other status that is present, and none for one that is not', () => {
    expect(infer(subscriptions, { status: ['active', 'paused'] }).events.at(-1)).toBe('Paused status=paused')
    expect(infer(subscriptions, { status: ['active'] }).events.join()).not.toMatch(/Paused|inactive/)
  })
})

describe('time columns', () => {
  it.each([
    ['created_at', 'things'],
    ['CreatedAt', 'things'],
    ['create_date', 'customer'],
    ['creation_date', 'things'],
    ['created', 'things'],
    ['date_created', 'things'],
    ['inserted_at', 'things'],
    ['rental_date', 'rental'],
    ['InvoiceDate', 'Invoice'],
    ['order_date', 'sales_orders'],
  ])('%s of %s is when the row was created', (name, table) => {
    expect(infer([time(name)], {}, table).events).toEqual([`Created ${name}@`])
  })

  it.each([
    ['activated_at', 'Activated'],
    ['ShippedDate', 'Shipped'],
    ['HireDate', 'Hired'],
    ['return_date', 'Returned'],
    ['cancelled_on', 'Cancelled'],
    ['email_verified_at', 'EmailVerified'],
    ['paid_at', 'Paid'],
    ['date_shipped', 'Shipped'],
    ['deleted_at', 'SoftDeleted'],
  ])('%s makes the event %s', (name, event) => {
    expect(infer([time(name)]).events).toEqual(['Created', `${event} ${name}@`])
  })

  it.each([
    'birth_date',
    'BirthDate',
    'due_date',
    'due_at',
    'expires_at',
    'valid_from',
    'valid_until',
    'start_date',
    'ends_at',
    'scheduled_for',
    'scheduled_at',
    'last_login_at',
    'required_date',
    'payment_date',
    'effective_date',
    'the_day',
  ])('%s makes no event and is carried by Created', (name) => {
    expect(infer([time(name)]).events).toEqual([`Created ${name}`])
  })

  it.each(['updated_at', 'last_update', 'last_updated', 'modified_at', 'ModifiedDate', 'changed_at'])(
    '%s is the time of the last update and stands in no event',
    (name) => {
      expect(infer([column('note', 'text'), time(name)])).toMatchObject({
        events: ['Created note'],
        updatedAt: name,
      })
    },
  )

  it('a number or a text called created_at is no time', () => {
    expect(infer([column('created_at', 'int8')]).events).toEqual(['Created created_at'])
  })

  it('without a zone ask for one, and only then', () => {
    expect(infer([column('created_at', 'timestamp')]).timeZone).toBe('UTC')
    expect(infer([column('created_at', 'date')]).timeZone).toBe('UTC')
    expect(infer([time('created_at'), column('birth_date', 'date')]).timeZone).toBeNull()
  })

  it('a generated one, or one of the key, is bound to nothing', () => {
    const key = catalogTable('t', [time('created_at'), column('x', 'text')])
    const options = { name: 'T', statuses: new Map(), timeZone: 'UTC' }
    expect(inferAggregate(key, options).events[0]).toMatchObject({ data: ['x'], set: [] })
    expect(infer([column('created_at', 'timestamptz', { generated: true })]).events).toEqual(['Created'])
  })

  it('two columns of one event leave the second to Created', () => {
    expect(infer([time('paid_at'), time('paid_on')]).events).toEqual(['Created paid_on', 'Paid paid_at@'])
  })
})

describe('who and why', () => {
  it('travel with what they explain', () => {
    const columns = [
      time('cancelled_at'),
      column('cancelled_by', 'int8'),
      column('cancellation_reason', 'text'),
      column('approved_by_id', 'int8'),
      column('created_by', 'int8'),
    ]
    expect(infer(columns).events).toEqual([
      'Created approved_by_id created_by',
      'Cancelled cancelled_at@ cancelled_by cancellation_reason',
    ])
  })
})

describe('status columns', () => {
  it('an enum that is no status is data', () => {
    expect(infer([enumColumn('rating', ['G', 'PG'])], { rating: ['G'] }).events).toEqual(['Created rating'])
  })

  it('the default is the status of the beginning', () => {
    const status = column('status', 'varchar', { default: "'it''s on'::character varying" })
    expect(infer([status], { status: ["it's on", 'sold'] }).events).toEqual([
      "Created status=it's on",
      'Sold status=sold',
    ])
  })

  it.each([
    ['states of the US', 'state', ['CA', 'NY']],
    ['more than twelve', 'status', 'abcdefghijklm'.split('')],
  ])('leaves %s alone', (_, name, values) => {
    expect(infer([column(name, 'text')], { [name]: values }).events).toEqual([`Created ${name}`])
  })

  it('leaves the state of an address alone, whatever its values', () => {
    const address = [column('city', 'text'), column('state', 'text')]
    expect(infer(address, { state: ['closed'] }).events).toEqual(['Created city state'])
    expect(infer([column('BillingState', 'text')], { BillingState: ['closed'] }).events).toEqual([
      'Created BillingState',
    ])
  })

  it('two of them name their events apart', () => {
    const columns = [column('status', 'text'), column('payment_status', 'text')]
    expect(
      infer(columns, { status: ['new', 'failed'], payment_status: ['pending', 'failed'] }).events,
    ).toEqual([
      'Created status=new payment_status=pending',
      'Failed status=failed',
      'PaymentFailed payment_status=failed',
    ])
  })

  it('a status that sounds like residue or creation does not take its name', () => {
    const { events } = infer([column('status', 'text')], { status: ['changed', 'deleted', 'on hold', '---'] })
    expect(events).toEqual([
      'Created',
      'MarkedChanged status=changed',
      'MarkedDeleted status=deleted',
      'MarkedOnHold status=on hold',
    ])
  })

  it('a second spelling of a status is left to residue', () => {
    expect(infer([column('status', 'text'), time('paid_at')], { status: ['PAID', 'paid'] }).events).toEqual([
      'Created',
      'Paid status=PAID paid_at@',
    ])
  })
})

it('every stored column stands in an event, is the key, or the time of the last update', () => {
  const columns = [
    time('updated_at'),
    time('paid_at'),
    time('created_at'),
    column('paid_by', 'text'),
    column('status', 'text'),
    column('free', 'jsonb'),
    column('sum', 'numeric', { generated: true }),
  ]
  const aggregate = inferAggregate(catalogTable('t', [id, ...columns]), {
    name: 'T',
    statuses: new Map([['status', ['paid']]]),
    timeZone: 'UTC',
  })
  const named = aggregate.events.flatMap(({ data, set }) => [...data, ...set.map((each) => each.column)])
  expect([...named, aggregate.updatedAt].sort()).toEqual(
    ['updated_at', 'paid_at', 'created_at', 'paid_by', 'status', 'free'].sort(),
  )
})
