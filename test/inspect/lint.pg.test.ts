import { beforeAll, describe, expect, it } from 'vitest'
import { bindAggregate } from '../../src/bind/index.js'
import { type AggregateDefinition, becomes, defineAggregate, is } from '../../src/definition/index.js'
import { type LintFinding, lint } from '../../src/inspect/index.js'
import { isPastTense } from '../../src/inspect/lint-names.js'
import { registerDefinition } from '../../src/store/index.js'
import { Account, accounts, createAccounts, text } from '../support/account.js'
import { testDatabase } from '../support/database.js'

const Opened = { creates: true, data: ['owner', 'opened_at'] } as const
const define = (events: object, more: object = {}) =>
  defineAggregate({
    name: 'Account',
    table: accounts,
    events: { Opened, ...events },
    ...more,
  } as never) as unknown as AggregateDefinition

describe('lint', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(createAccounts)
    await db.admin.query("select eventward.create_partition('Account', 'events_account')")
    await db.database.session(async (session) => {
      const { model } = await bindAggregate(session, define({ Credited: { data: { amount: 'balance' } } }))
      await registerDefinition(session, model, { schema: 'public', table: 'events' })
    })
    await db.admin.query(`
      insert into public.events (aggregate_type, aggregate_id, version, type, schema_version, data, occurred_at) values
        ('Account', '1', 1, 'Opened', 1, '{}', '2020-01-01Z'),
        ('Account', '1', 2, 'Credited', 1, '{"amount": 1.00}', '2020-01-01Z'),
        ('Account', '1', 3, 'Credited', 1, '{"amount": 2.00}', '2020-01-01Z')`)
  })

  const found = (definition: AggregateDefinition) => lint(db.database, { aggregates: [definition] } as never)
  const of = async (rule: LintFinding['rule'], definition: AggregateDefinition) =>
    (await found(definition))
      .filter((finding) => finding.rule === rule)
      .map(({ level, event, message }) => [level, event, message])

  it('has nothing to say of a definition that says it all', async () => {
    const whole = define({
      Credited: { data: { amount: 'balance' } },
      Closed: { set: { open: false } },
      Reopened: { set: { open: true } },
      Touched: { data: ['updated_by'] },
    })
    expect(await found(whole)).toEqual([])
  })

  it('names stored versions that no code reads, and how many events they are', async () => {
    const raised = define({ Credited: { schemaVersion: 2, data: { sum: 'balance' } } })
    expect(await of('stored_version', raised)).toEqual([
      [
        'error',
        'Credited',
        expect.stringMatching(
          /^2 stored events are Credited@1, which no code reads: Credited is at 2.*frozen/,
        ),
      ],
    ])
    const gone = define({ Booked: { data: { sum: 'balance' } } })
    expect(await of('stored_version', gone)).toEqual([
      ['error', 'Credited', expect.stringContaining('no event has that name')],
    ])
    const led = define({ Booked: { data: { amount: 'balance' }, from: ['Credited'] } })
    expect(await of('stored_version', led)).toEqual([])
  })

  it('names a change by which stored events would mean something else, as whoever installs it would be told', async () => {
    const changed = define({ Credited: { data: { sum: 'balance' } } })
    const [finding] = (await found(changed)).filter(({ rule }) => rule === 'definition_changed')
    expect(finding).toMatchObject({ level: 'error', event: 'Credited' })
    expect(finding?.message).toMatch(/^EW_DEFINITION_CHANGED Account\.Credited, schema version 1 has events/)
    expect(finding?.message).toContain('balance')
    expect(finding?.next).toContain('Raise its schemaVersion to 2, with upcast: { 1: ')
    const refused = await db.database
      .session(async (session) => {
        const { model } = await bindAggregate(session, changed)
        await registerDefinition(session, model, { schema: 'public', table: 'events' })
      })
      .catch((error: unknown) => error)
    expect(`EW_DEFINITION_CHANGED ${(refused as Error).message}`).toBe(finding?.message)
    expect(await found(define({ Credited: { data: { amount: 'balance' } } }))).not.toContainEqual(
      expect.objectContaining({ rule: 'definition_changed' }),
    )
  })

  it('names upcasts that lead nowhere, and those that forget an attribute', async () => {
    const nowhere = define({
      Credited: { schemaVersion: 4, data: { sum: 'balance' }, upcast: { 1: { rename: { amount: 'sum' } } } },
    })
    expect(await of('upcast_nowhere', nowhere)).toEqual([
      ['error', 'Credited', expect.stringContaining('the upcast of Credited@1 leads to no event')],
    ])
    const forgets = define({
      Credited: {
        schemaVersion: 2,
        data: { sum: 'balance' },
        facts: { why: text },
        upcast: { 1: { rename: { amount: 'sum' } } },
      },
    })
    expect(await of('upcast_incomplete', forgets)).toEqual([
      ['warning', 'Credited', 'Credited@1 is read as Credited without why'],
    ])
  })

  it('names columns that no event carries or sets', async () => {
    const messages = (await of('column_unset', define({ Closed: { set: { open: false } } }))).map(
      ([, , message]) => message,
    )
    expect(messages.map((message) => /sets (\w+)/.exec(String(message))?.[1])).toEqual([
      'balance',
      'updated_by',
    ])
    expect((await of('column_unset', Account)).join()).not.toContain('balance')
  })

  it.each([
    [
      'exactly where',
      { Closed: { set: { open: false } }, Shut: { when: becomes('open', false), data: ['updated_by'] } },
      /Closed exactly where it means Shut/,
    ],
    [
      'as well',
      {
        Closed: { set: { open: false } },
        ClosedBroke: { set: { open: false, balance: 0 }, when: becomes('open', false) },
      },
      /exactly/,
    ],
    [
      'implied',
      {
        Closed: { when: becomes('open', false), data: [] },
        Broke: { when: is('open', false), data: ['updated_by'] },
      },
      /each write that means Closed means Broke/,
    ],
    [
      'of one column',
      { Credited: { data: ['balance', 'updated_by'] }, Emptied: { data: ['balance', 'owner'] } },
      /one write can mean both Credited and Emptied, and both say what balance is/,
    ],
  ] as const)('names events that overlap: %s', async (_, events, message) => {
    const [only, ...others] = await of('overlap', define(events))
    expect(others).toEqual([])
    expect(only?.[2]).toMatch(message)
  })

  it('says nothing of events that are told apart, or that speak of other columns', async () => {
    const apart = define({
      Closed: { set: { open: false } },
      Reopened: { set: { open: true } },
      Credited: { data: { amount: 'balance' } },
      Renamed: { data: ['owner'] },
    })
    expect(await of('overlap', apart)).toEqual([])
  })

  it('names a creating event that another one always comes before', async () => {
    const shadow = define({ Imported: { creates: true, data: ['owner'], set: { updated_by: 'import' } } })
    expect(await of('shadowed', shadow)).toEqual([
      ['warning', 'Imported', expect.stringContaining('Opened, declared before it')],
    ])
  })

  it('gives errors first, and what does not fit the table is one', async () => {
    const wrong = {
      ...Account,
      name: 'Other',
      table: { ...accounts, name: 'nowhere' },
    } as AggregateDefinition
    const both = await lint(db.database, { aggregates: [define({ Close: {} }), wrong] } as never)
    expect(both[0]).toMatchObject({ level: 'error' })
    expect(
      both.some(({ rule, message }) => rule === 'definition' && message.startsWith('EW_TABLE_UNKNOWN')),
    ).toBe(true)
    expect(both.at(-1)?.level).toBe('warning')
  })
})

it.each([
  ...[
    'Activated',
    'PriceChanged',
    'Sent',
    'PaymentSourceAdded',
    'Paid',
    'OrderWithdrawn',
    'DNSUpdated',
    'FreedUp',
  ].map((name) => [name, true] as const),
  ...['Activate', 'Status', 'PriceChange', 'Seed', 'Feed', 'Update2'].map((name) => [name, false] as const),
])('%s is in the past tense: %s', (name, past) => {
  expect(isPastTense(name)).toBe(past)
})
