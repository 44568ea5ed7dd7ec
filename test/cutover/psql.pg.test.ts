/** The way back from psql alone, by a role that owns the table and is no superuser. */
import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { advance, complete, cutoverStatus } from '../../src/cutover/index.js'
import { connect, type Database } from '../../src/db/index.js'
import { migrateUp } from '../../src/migrate/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { backendPid } from '../support/race.js'
import { Subscription } from '../support/subscription.js'
import { textClient } from '../support/text-client.js'
import { forget, phaseOf, provenSubscriptions } from './proven-table.js'

describe('select eventward.rollback(...)', () => {
  const db = testDatabase({ migrated: false })
  let psql: pg.Client
  let app: pg.Client
  let database: Database

  beforeAll(async () => {
    await db.admin.query(`
      create role mover login password 'mover' nosuperuser;
      create role shop login password 'shop' nosuperuser;
      grant pg_read_all_stats to mover;
      grant create on database ${db.name} to mover;
      grant create, usage on schema public to mover;
      grant usage on schema public to shop;
      alter default privileges for role mover in schema public grant select, insert, update, delete on tables to shop`)
    const as = (role: string) => {
      const url = new URL(db.url)
      url.username = role
      url.password = role
      return url.href
    }
    await migrateUp({ url: as('mover'), events: { schema: 'public', table: 'events' } })
    psql = await textClient(as('mover'), { application_name: 'psql' })
    app = await textClient(as('shop'), { application_name: 'shop' })
    database = await connect({ url: as('mover') })
  })
  afterAll(async () => {
    await Promise.all([psql?.end(), app?.end(), database?.close()])
    await db.admin.query('drop owned by mover cascade; drop owned by shop cascade; drop role mover, shop')
  })
  beforeEach(async () => {
    await forget({ admin: psql })
    await provenSubscriptions({ admin: psql, database }, 10)
  })

  const back = async (name = 'subscriptions') => {
    const { rows } = await psql.query<{ rollback: string }>('select eventward.rollback($1)', [name])
    return rows[0]?.rollback
  }

  it.each(['subscriptions', 'public.subscriptions'])(
    'takes %s back, says so, and leaves a receipt',
    async (name) => {
      await advance(database, Subscription)
      await app.query('update public.subscriptions set user_id = 0 where id = 1')
      expect(await back(name)).toMatch(
        /^subscriptions is dual_write again: rows are its truth, each write is captured as before, and all events are kept\. Locked for [\d.]+ ms, run \d+\. Next: eventward verify subscriptions$/,
      )
      expect(await phaseOf(db)).toBe('dual_write')
      await app.query('update public.subscriptions set user_id = 1 where id = 1')
      const { rows } = await psql.query(
        `select params, outcome ->> 'from' as from, outcome ->> 'to' as to, state, application_name
       from eventward.runs where command = 'cutover' order by id desc limit 1`,
      )
      expect(rows).toEqual([
        {
          params: '{"by": "sql", "action": "rollback"}',
          from: 'event_first',
          to: 'dual_write',
          state: 'complete',
          application_name: 'psql',
        },
      ])
      expect((await verify(database, Subscription)).table.clean).toBe(true)
      // The proof was carried over: it may go on at once.
      expect((await advance(database, Subscription)).ok).toBe(true)
    },
  )

  it('twice is once', async () => {
    await advance(database, Subscription)
    await back()
    expect(await back()).toMatch(/^subscriptions is dual_write already/)
    expect(await phaseOf(db)).toBe('dual_write')
  })

  it('refuses what is complete, and what is not captured, and says what to do', async () => {
    await expect(back('orders')).rejects.toMatchObject({
      code: 'EW009',
      message: "no captured table is called 'orders'",
      hint: 'Captured are: public.subscriptions',
    })
    await advance(database, Subscription)
    await complete(database, Subscription)
    await expect(back()).rejects.toMatchObject({
      code: 'EW005',
      message: expect.stringMatching(
        /^public\.subscriptions is complete since .*: its way back was closed on purpose$/,
      ),
    })
  })

  it('names who is in the way, waits no longer than 0.4 s, and as long as whoever calls it has set', async () => {
    await advance(database, Subscription)
    await app.query('begin; update public.subscriptions set user_id = 0 where id = 1')
    const pid = await backendPid(app)
    const busy = {
      code: '55P03',
      message: `public.subscriptions is locked by pid ${pid} (shop); nothing was changed`,
      hint: expect.stringContaining('set lock_timeout'),
    }
    const started = performance.now()
    await expect(back()).rejects.toMatchObject(busy)
    expect(performance.now() - started).toBeLessThan(3_000)
    const { rows } = await psql.query('show lock_timeout')
    expect(rows, 'the setting of the session is as it was').toEqual([{ lock_timeout: '0' }])

    await psql.query(`set lock_timeout = '30s'`)
    const waits = back()
    await app.query('commit')
    expect(await waits).toMatch(/dual_write again/)
    await psql.query('reset lock_timeout')
  })

  it('works in a transaction that is rolled back: nothing of it stays', async () => {
    await advance(database, Subscription)
    await psql.query('begin')
    await back()
    await psql.query('rollback')
    expect(await phaseOf(db)).toBe('event_first')
    expect(
      (await cutoverStatus(database, Subscription)).gate.find(({ name }) => name === 'fingerprint')?.ok,
    ).toBe(true)
  })

  it('comes after a gate that waits for transactions whose age this role may not see, and names those that go on', async () => {
    await db.admin.query('revoke pg_read_all_stats from mover')
    try {
      await app.query('begin; select 1')
      const pid = await backendPid(app)
      const refused = await advance(database, Subscription)
      expect(refused.gate.find(({ name }) => name === 'transactions')).toMatchObject({
        ok: false,
        detail: expect.stringContaining(`pid ${pid}`),
        next: expect.stringContaining('grant pg_read_all_stats'),
      })
      // One that ends is younger than our first look by then, or gone.
      const opens = advance(database, Subscription)
      await app.query('commit')
      expect(await opens).toMatchObject({ ok: true, to: 'event_first' })
    } finally {
      await db.admin.query('grant pg_read_all_stats to mover')
    }
  })

  it('is not for the application', async () => {
    await advance(database, Subscription)
    await expect(app.query(`select eventward.rollback('subscriptions')`)).rejects.toMatchObject({
      code: '42501',
    })
    expect(await phaseOf(db)).toBe('event_first')
  })
})
