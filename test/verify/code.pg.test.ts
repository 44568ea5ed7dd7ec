/** An aggregate of which code says what some event does: given by commands alone, verified by replay alone. */
import { beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { bindAggregate } from '../../src/bind/index.js'
import { type AggregateDefinition, becomes, defineAggregate, occurredAt } from '../../src/definition/index.js'
import { explain, plan, status } from '../../src/inspect/index.js'
import { eventsOf, repositoryOf } from '../../src/runtime/index.js'
import { registerDefinition, storedShapes } from '../../src/store/index.js'
import { openStreamSet, verify } from '../../src/verify/index.js'
import { appKnex } from '../runtime/app-knex.js'
import { Account, accounts, createAccounts, text } from '../support/account.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'

const { Opened, Credited, Closed } = eventsOf(Account)
const config = { aggregates: [Account] } as never

describe('an event that code applies', () => {
  const db = testDatabase()
  const app = appKnex(db)

  beforeAll(async () => {
    await db.admin.query(createAccounts)
    await db.admin.query(`insert into public.accounts values (1, 'Ann', 10.50, true, null, '2020-01-01Z')`)
    await installCapture(db.database, Account)
    await backfill(db.database, Account)
  })

  const types = async (id: number) =>
    (
      await db.admin.query<{ type: string }>(
        'select type from public.events where aggregate_id = $1 order by version',
        [String(id)],
      )
    ).rows.map(({ type }) => type)

  it('changes the row by what a command gave, and the events still explain it', async () => {
    await Opened.create(app(), { id: 2, owner: 'Bo', updated_by: 'a clerk' })
    const event = await Credited.create(app(), { id: 2, amount: '12.25', updated_by: 'a clerk' })
    expect(event).toMatchObject({ type: 'Credited', amount: '12.25' })
    await Credited.create(app(), { id: 2, amount: '0.75', updated_by: null })
    expect(await repositoryOf(Account).get(app(), { id: 2 })).toMatchObject({
      balance: '13.00',
      updated_by: null,
    })
    expect(await types(2)).toEqual(['Opened', 'Credited', 'Credited'])
    const { table, differences } = await verify(db.database, Account)
    expect(differences).toEqual([])
    expect(table).toMatchObject({
      engine: 'replay',
      engineBecause: 'code says what Credited does',
      clean: true,
    })
  })

  it('is never taken for a write of old code, which loses nothing', async () => {
    await db.admin.query(`update public.accounts set balance = balance + 1, updated_by = 'old' where id = 1`)
    await db.admin.query(`update public.accounts set open = false where id = 1`)
    await db.admin.query(`insert into public.accounts values (3, 'Cy', 7.00, false, 'old', '2021-01-01Z')`)
    expect(await types(1)).toEqual(['Opened', 'Changed', 'Closed'])
    expect(await types(3)).not.toContain('Credited')
    await Credited.create(app(), { id: 1, amount: '1.00', updated_by: null })
    await Closed.create(app(), { id: 2, updated_by: null })
    expect((await verify(db.database, Account)).table).toMatchObject({ clean: true, engine: 'replay' })
  })

  it('is not verified by SQL, which says so', async () => {
    await expect(verify(db.database, Account, { engine: 'sql' })).rejects.toMatchObject({
      code: 'EW_ENGINE_SQL',
      message: expect.stringContaining('code says what Credited does'),
    })
  })

  it('is told of by plan, explain and status', async () => {
    const [planned] = await plan(db.database, config, {})
    expect(planned?.warnings.join()).toContain('code says what Credited does: verified by replay alone')
    expect(await explain(db.database, config, { table: 'accounts' })).toMatchObject({
      provenByReplay: 'code says what Credited does',
    })
    expect(await status(db.database, config)).toMatchObject([{ provenByReplay: ['Credited'] }])
  })

  it('counts where a cutover looks at single streams: a row that was bent is found', async () => {
    const check = () =>
      db.database.session(async (session) => {
        const set = await openStreamSet(session, Account, { schema: 'public', table: 'events' })
        return set.check(session, ['1', '2', '3', '99'])
      })
    expect(await check()).toEqual({ rows: 3, streams: 3, events: expect.any(Number), found: [] })
    await bent(async () => {
      expect((await check()).found).toEqual([{ key: '2', kind: 'row_differs' }])
      const { differences } = await verify(db.database, Account)
      expect(differences).toMatchObject([
        {
          key: '2',
          kind: 'row_differs',
          columns: [{ column: 'balance', events: '13.00', row: '1.00', setBy: { type: 'Credited' } }],
        },
      ])
    })
  })

  it('with other code under the same version is refused as soon as one is stored', async () => {
    const other = defineAggregate({
      ...shared,
      apply: { Credited: (state) => ({ balance: state.balance, owner: 'someone else' }) },
    })
    await expect(register(other)).rejects.toMatchObject({
      code: 'EW_DEFINITION_CHANGED',
      message: expect.stringContaining('apply: another code'),
    })
    await expect(register(defineAggregate(shared))).rejects.toMatchObject({ code: 'EW_DEFINITION_CHANGED' })
  })

  it('of an older version is lifted, and folded as the code has it now', async () => {
    const second = defineAggregate({
      ...shared,
      events: { ...shared.events, Credited: { schemaVersion: 2, data: ['balance'], facts: { why: text } } },
      upcasters: {
        'Credited@1': { to: 'Credited', version: 2, drop: ['amount'], add: { why: 'unknown' } },
      },
    })
    // The code of version 1 is gone: what it did can't be told by what version 2 says, and verify finds it.
    const { table, differences } = await verify(db.database, second)
    expect(table.clean).toBe(false)
    expect(differences.map(({ kind }) => kind)).toEqual(['row_differs', 'row_differs'])
    const kept = defineAggregate({
      ...shared,
      events: { ...shared.events, Credited: { schemaVersion: 2, facts: { sum: text } } },
      apply: { Credited: (state, event) => ({ balance: plus(state.balance, event.data.sum) }) },
      upcasters: { 'Credited@1': { to: 'Credited', version: 2, rename: { amount: 'sum' } } },
    })
    expect((await verify(db.database, kept)).differences).toEqual([])
    const lost = defineAggregate({ ...shared, events: { ...shared.events, Credited: { schemaVersion: 2 } } })
    expect((await verify(db.database, lost)).differences).toMatchObject([
      { kind: 'unknown_event', message: expect.stringContaining('a Credited of schema version 1') },
      { kind: 'unknown_event' },
    ])
  })

  async function bent(look: () => Promise<void>): Promise<void> {
    await db.admin.query('alter table public.accounts disable trigger all')
    await db.admin.query('update public.accounts set balance = 1 where id = 2')
    try {
      await look()
    } finally {
      await db.admin.query('update public.accounts set balance = 13 where id = 2')
      await db.admin.query('alter table public.accounts enable trigger all')
    }
  }

  const register = (definition: AggregateDefinition) =>
    db.database.session(async (session) => {
      const { model } = await bindAggregate(session, definition, await storedShapes(session, definition.name))
      await registerDefinition(session, model, { schema: 'public', table: 'events' })
    })
})

const shared = {
  name: 'Account',
  table: accounts,
  base: { data: ['updated_by'] },
  events: {
    Opened: { creates: true, data: ['owner'], set: { open: true, opened_at: occurredAt, balance: 0 } },
    Credited: { facts: { amount: text } },
    Closed: { set: { open: false }, when: becomes('open', false) },
  },
} as const

const plus = (a: string, b: string) => {
  const sum = BigInt(a.replace('.', '')) + BigInt(b.replace('.', ''))
  return `${sum / 100n}.${String(sum % 100n).padStart(2, '0')}`
}
