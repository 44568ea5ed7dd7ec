import { beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { captureOn } from '../../src/capture/index.js'
import { type AggregateDefinition, defineAggregate } from '../../src/definition/index.js'
import { status } from '../../src/inspect/index.js'
import { verify } from '../../src/verify/index.js'
import { accounts, createAccounts } from '../support/account.js'
import { testDatabase } from '../support/database.js'

const define = (events: object) =>
  defineAggregate({
    name: 'Account',
    table: accounts,
    events: { Opened: { creates: true, data: ['owner', 'opened_at'] }, ...events },
  } as never) as unknown as AggregateDefinition

const Credited = { data: { amount: 'balance' } } as const

describe('status after the definition of a proven table was edited', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(createAccounts)
    await db.admin.query(
      "insert into public.accounts (id, owner, balance, open, opened_at) values (1, 'ann', 0, true, now())",
    )
    const definition = define({ Credited })
    await captureOn(db.database, definition)
    await backfill(db.database, definition)
    await verify(db.database, definition)
  })

  const next = async (definition: AggregateDefinition) => {
    const [table] = await status(db.database, { aggregates: [definition] } as never)
    return { next: table?.next, problems: table?.problems.map(({ what }) => what) }
  }

  it('leads to advance where nothing was edited', async () => {
    expect(await next(define({ Credited }))).toEqual({
      next: 'eventward cutover accounts advance --confirm accounts',
      problems: [],
    })
  })

  it('leads to capture on where the triggers are of another definition than the configuration', async () => {
    const edited = define({ Credited, Closed: { set: { open: false } } })
    expect(await next(edited)).toEqual({
      next: 'eventward capture on accounts',
      problems: [expect.stringContaining('its triggers were made from another definition')],
    })
    await captureOn(db.database, edited)
    expect((await next(edited)).problems).toEqual([])
    expect((await next(edited)).next).not.toContain('capture')
    await captureOn(db.database, define({ Credited }))
  })

  it('leads to lint where the edit would change what stored events mean, which capture on refuses', async () => {
    const edited = define({
      Credited,
      Opened: { creates: true, data: { holder: 'owner', opened_at: 'opened_at' } },
    })
    expect(await next(edited)).toEqual({
      next: 'eventward lint accounts',
      problems: [expect.stringContaining('Account.Opened, schema version 1 has events already')],
    })
    await expect(captureOn(db.database, edited)).rejects.toMatchObject({ code: 'EW_DEFINITION_CHANGED' })
  })

  it('says so where the server can not read the definition any more, and where the other tables are all the same', async () => {
    const edited = define({ Credited, Reset: { set: { opened_at: 'some day' } } })
    const said = await next(edited)
    expect(said.next).toBe('eventward lint accounts')
    expect(said.problems).toEqual([expect.stringContaining('some day')])
  })
})
