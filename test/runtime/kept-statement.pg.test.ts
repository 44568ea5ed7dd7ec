/** Statements that a command prepares on its connection: gone, or planned for what is no more, they cost it a try at most. */
import createKnex, { type Knex } from 'knex'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { defineCommand } from '../../src/runtime/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { resetSubscriptions } from './reset-subscriptions.js'

const Flip = defineCommand({
  aggregate: Subscription,
  build: ({ status }) =>
    status === 'active'
      ? { type: 'Deactivated' }
      : { type: 'Activated', data: { stripe_key: `it's "\\ $1` } },
})

describe('what a command prepares', () => {
  const db = testDatabase()
  let knex: Knex
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
  })
  beforeEach(async () => {
    await resetSubscriptions(db.admin)
    await knex?.destroy()
    // One connection: what is prepared on it is met again.
    knex = createKnex({ client: 'pg', connection: db.url, pool: { min: 0, max: 1 } })
  })
  afterAll(() => knex.destroy())
  const prepared = async () => {
    const { rows } = await knex.raw(`select name from pg_prepared_statements where name like 'eventward%'`)
    return (rows as readonly { readonly name: string }[]).length
  }

  it('is there once, and used again', async () => {
    // Both ways for both rows: which columns change is part of the statement.
    for (let n = 0; n < 6; n += 1) await Flip.call(knex, { id: n % 2 === 0 ? 12 : 13 })
    const first = await prepared()
    for (let n = 0; n < 12; n += 1) await Flip.call(knex, { id: n % 2 === 0 ? 12 : 13 })
    expect(first).toBeGreaterThan(3)
    expect(await prepared()).toBe(first)
    expect((await verify(db.database, Subscription)).differences).toEqual([])
  })

  it('is not prepared in a transaction of the caller', async () => {
    await knex.transaction((trx) => Flip.call(trx, { id: 12 }))
    expect(await prepared()).toBe(0)
  })

  it('may be gone, as behind a pooler: the command is done all the same, and none is prepared any more', async () => {
    // Both ways, and with what only a second command knows.
    for (let n = 0; n < 4; n += 1) await Flip.call(knex, { id: 12 })
    await knex.raw('deallocate all')
    const event = await Flip.call(knex, { id: 12 })
    expect(event?.version).toBe(7)
    await Flip.call(knex, { id: 12 })
    expect(await prepared()).toBe(0)
  })

  it('is planned anew where a column got another type, or was renamed', async () => {
    for (let n = 0; n < 8; n += 1) await Flip.call(knex, { id: 12 })
    await db.admin.query('alter table public.subscriptions alter column reward_id type integer')
    expect((await Flip.call(knex, { id: 12 }))?.version).toBe(11)
    await db.admin.query('alter table public.subscriptions alter column reward_id type bigint')
    expect((await Flip.call(knex, { id: 12 }))?.version).toBe(12)
  })

  it('does not outlive a failure as what nobody knows of', async () => {
    const Twice = defineCommand({
      aggregate: Subscription,
      validate: (state) => state.user_id === '345' && 'this user may not',
      build: () => ({ type: 'Activated', data: { stripe_key: 'x' } }),
    })
    await db.admin.query(`
      create function public.refuse() returns trigger language plpgsql as
        $$ begin if new.id = 12 then raise exception 'not this one'; end if; return new; end $$;
      create trigger refuse before update on public.subscriptions for each row execute function public.refuse()`)
    await expect(Twice.call(knex, { id: 12 })).rejects.toThrow('not this one')
    await expect(Twice.call(knex, { id: 13 })).rejects.toThrow('this user may not')
    await db.admin.query('drop trigger refuse on public.subscriptions; drop function public.refuse()')
    expect((await Twice.call(knex, { id: 12 }))?.version).toBe(3)
  })
})
