/** Events of older and newer code, as handlers of a projection get them. */
import createKnex, { type Knex } from 'knex'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { captureOn } from '../../src/capture/index.js'
import { type AggregateDefinition, defineAggregate, occurredAt } from '../../src/definition/index.js'
import { attachProjections, defineProjection, projectionRunner, replay } from '../../src/project/index.js'
import { eventsOf, repositoryOf } from '../../src/runtime/index.js'
import { appKnex } from '../runtime/app-knex.js'
import { accounts, createAccounts, text } from '../support/account.js'
import { testDatabase } from '../support/database.js'
import { NewAccount, OldAccount } from '../support/rolling-account.js'

/** Another name for what was BalanceSet, and one event where there were two things. */
const LaterAccount = defineAggregate({
  name: 'Account',
  table: accounts,
  events: {
    Opened: { creates: true, data: ['owner'], set: { open: true, opened_at: occurredAt, balance: 0 } },
    Closed: { set: { open: false } },
    Booked: { data: { sum: 'balance' } },
    Told: { facts: { why: text } },
    Audited: { data: ['updated_by'] },
  },
  upcasters: {
    'BalanceSet@1': { to: 'Booked', rename: { amount: 'sum' } },
    'BalanceSet@2': [
      { to: 'Booked', drop: ['why'] },
      { to: 'Told', drop: ['sum'] },
    ],
  },
})

interface Seen {
  readonly event: {
    readonly type: string
    readonly version: number
    readonly schemaVersion: number
    readonly data: object
  }
  readonly trx: Knex.Transaction
  readonly table: string
}

const create = (schema: Knex.SchemaBuilder, table: string) =>
  schema.createTable(table, (t) => {
    t.increments('n')
    t.text('seen').notNullable()
  })

async function note({ event, trx, table }: Seen): Promise<void> {
  await trx(table).insert({
    seen: `${event.version} ${event.type}@${event.schemaVersion} ${JSON.stringify(event.data)}`,
  })
}

const balances = { name: 'balances', version: 1, create } as const
const olds = eventsOf(OldAccount)
const news = eventsOf(NewAccount)
const laters = eventsOf(LaterAccount)
const ofOld = (mode: 'inline' | 'async') =>
  defineProjection({
    ...balances,
    mode,
    on: (on) => on(olds.BalanceSet, (event, context) => note({ event, ...context })),
  })
const ofNew = (mode: 'inline' | 'async') =>
  defineProjection({
    ...balances,
    mode,
    on: (on) => on(news.BalanceSet, (event, context) => note({ event, ...context })),
  })
const ofLater = defineProjection({
  ...balances,
  mode: 'async',
  on: (on) => on([laters.Booked, laters.Told], (event, context) => note({ event, ...context })),
})

describe('a projection, and events of other releases', () => {
  const db = testDatabase()
  const app = appKnex(db)
  const install = (definition: AggregateDefinition) => captureOn(db.database, definition)

  beforeAll(async () => {
    await db.admin.query(createAccounts)
    await install(OldAccount)
  })
  beforeEach(async () => {
    const { rows } = await db.admin.query<{ t: string }>(
      'select table_name as t from eventward.projection_generations',
    )
    await db.admin.query('drop view if exists public.balances')
    for (const { t } of rows) await db.admin.query(`drop table public.${t}`)
    await db.admin.query(`
      delete from eventward.projection_generations;
      delete from public.accounts;
      alter table public.events_account disable trigger eventward_append_only, disable trigger eventward_append_only_own;
      delete from public.events_account;
      alter table public.events_account enable always trigger eventward_append_only,
        enable always trigger eventward_append_only_own;
      insert into public.accounts values (1, 'ada', 0, true, null, '2020-01-01Z')`)
  })
  const seen = async () =>
    (await db.admin.query<{ seen: string }>('select seen from public.balances order by n')).rows.map(
      (row) => row.seen,
    )
  const once = async (projection: ReturnType<typeof ofOld>) =>
    (await projectionRunner({ knex: app(), projections: [projection] }).once())[0]
  const old = (amount: number, knex = app()) => olds.BalanceSet.create(knex, { id: 1, amount })
  const fresh = (sum: number, knex = app()) => news.BalanceSet.create(knex, { id: 1, sum, why: 'sale' })

  it('gets an older event as its code would have written it, renamed and split as its upcasts say', async () => {
    await old(1.5)
    await install(NewAccount)
    await fresh(2)
    await replay(app(), ofNew('async'))
    expect(await seen()).toEqual([
      '2 BalanceSet@2 {"sum":"1.50","why":"unknown"}',
      '3 BalanceSet@2 {"sum":"2.00","why":"sale"}',
    ])
    await replay(app(), ofLater)
    expect(await seen()).toEqual([
      '2 Booked@1 {"sum":"1.50"}',
      '3 Booked@1 {"sum":"2.00"}',
      '3 Told@1 {"why":"sale"}',
    ])
    const history = await repositoryOf(LaterAccount).history(app(), { id: 1 })
    expect(
      history.map(({ version, type, stored, changed }) => [version, type, stored, changed.length]),
    ).toEqual([
      [1, 'Opened', { type: 'Opened', schemaVersion: 1 }, 4],
      [2, 'Booked', { type: 'BalanceSet', schemaVersion: 1 }, 1],
      [3, 'Booked', { type: 'BalanceSet', schemaVersion: 2 }, 1],
      [3, 'Told', { type: 'BalanceSet', schemaVersion: 2 }, 0],
    ])
    expect(await repositoryOf(LaterAccount).at(app(), { id: 1 }, 3)).toMatchObject({ balance: '2.00' })
  })

  it('is not stopped by events that nobody handles; one of newer code is left to that code, and none is lost', async () => {
    await install(NewAccount)
    await old(1)
    await news.Audited.create(app(), { id: 1, updated_by: 'eve' })
    expect(await once(ofOld('async'))).toMatchObject({ state: 'written', events: 1 })
    await old(2)
    await fresh(3)
    await old(4)
    expect(await once(ofOld('async'))).toMatchObject({
      state: 'behind',
      error: { code: 'EW_PROJECTION_NEWER', message: expect.stringContaining('BalanceSet@2') },
    })
    const before = ['2 BalanceSet@1 {"amount":"1.00"}', '4 BalanceSet@1 {"amount":"2.00"}']
    expect(await seen()).toEqual(before)
    expect(await once(ofNew('async'))).toMatchObject({ state: 'written', events: 2 })
    expect(await seen()).toEqual([
      ...before,
      '5 BalanceSet@2 {"sum":"3.00","why":"sale"}',
      '6 BalanceSet@2 {"sum":"4.00","why":"unknown"}',
    ])
  })

  it('written inline is left to newer code by older commands, and each event is written once, in order', async () => {
    await install(NewAccount)
    await replay(app(), ofNew('inline'))
    const other = createKnex({ client: 'pg', connection: db.url })
    const detach = [attachProjections(app(), [ofNew('inline')]), attachProjections(other, [ofOld('inline')])]
    try {
      await fresh(1)
      await old(2, other)
      await old(3, other)
      expect(await seen()).toEqual(['2 BalanceSet@2 {"sum":"1.00","why":"sale"}'])
      // The command of newer code writes first what is still to come of its stream.
      await fresh(4)
      await old(5, other)
    } finally {
      for (const off of detach) off()
      await other.destroy()
    }
    await once(ofNew('inline'))
    expect((await seen()).map((one) => one.replace(/ \{.*/, ''))).toEqual(
      [2, 3, 4, 5, 6].map((version) => `${version} BalanceSet@2`),
    )
  })

  it('gets what a Changed carries, by column', async () => {
    await install(NewAccount)
    await db.admin.query(
      `update public.accounts set owner = 'bob', open = false, updated_by = 'x' where id = 1`,
    )
    await db.admin.query(`update public.accounts set owner = 'eve', opened_at = '2021-01-01Z' where id = 1`)
    await replay(
      app(),
      defineProjection({
        ...balances,
        mode: 'async',
        on: (on) => on(news.Changed, (event, context) => note({ event: event as never, ...context })),
      }),
    )
    expect(await seen()).toEqual([
      expect.stringMatching(/^4 Changed@1 \{"owner":"bob"\}$/),
      '5 Changed@1 {"owner":"eve","opened_at":"2021-01-01 00:00:00+00"}',
    ])
  })
})
