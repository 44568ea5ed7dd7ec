/** Several who change, or look at, a phase at once. */
import { beforeEach, describe, expect, it } from 'vitest'
import { captureOn } from '../../src/capture/index.js'
import { advance, rehearse, rollback } from '../../src/cutover/index.js'
import { defineAggregate, defineTable, type Integer } from '../../src/definition/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { interpose } from '../support/interpose.js'
import { Subscription } from '../support/subscription.js'
import { forget, phaseOf, prove, provenSubscriptions } from './proven-table.js'

const FAST = { pauseMs: 50, lockTimeoutMs: 2_000 } as const
/** For what others do in the middle of it. */
const PATIENT = { pauseMs: 50, lockTimeoutMs: 30_000 } as const

describe('a table whose phase', () => {
  const db = testDatabase()
  beforeEach(async () => {
    await forget(db)
    await provenSubscriptions(db, 10)
  })

  const done = async () => {
    const { rows } = await db.admin.query<{ action: string }>(
      `select params ->> 'action' as action from eventward.runs
       where command = 'cutover' and outcome ->> 'result' = 'done' order by id`,
    )
    return rows.map(({ action }) => action)
  }

  it('is advanced by three at once is advanced once, and all of them say so', async () => {
    const all = await Promise.all([1, 2, 3].map(() => advance(db.database, Subscription, FAST)))
    for (const one of all) expect(one).toMatchObject({ ok: true, to: 'event_first' })
    expect(await done()).toEqual(['advance'])
    expect(await phaseOf(db)).toBe('event_first')
  })

  it('is rolled back by two at once, by psql and by the tool, is rolled back once', async () => {
    await advance(db.database, Subscription)
    const psql = await db.client()
    const [tool, sql] = await Promise.all([
      rollback(db.database, Subscription, FAST),
      psql.query<{ rollback: string }>(`select eventward.rollback('subscriptions')`),
    ])
    expect(tool).toMatchObject({ ok: true, to: 'dual_write' })
    expect(sql.rows[0]?.rollback).toMatch(/dual_write/)
    expect(await done()).toEqual(['advance', 'rollback'])
    expect(await phaseOf(db)).toBe('dual_write')
  })

  it('is advanced, rehearsed and rolled back at random ends in one phase, with a proof that stands', async () => {
    for (let round = 0; round < 4; round += 1) {
      const results = await Promise.all([
        advance(db.database, Subscription, FAST),
        rollback(db.database, Subscription, FAST),
        rehearse(db.database, Subscription, FAST),
        advance(db.database, Subscription, FAST),
      ])
      for (const { ok, gate } of results) expect(ok, JSON.stringify(gate)).toBe(true)
      expect(await phaseOf(db)).toMatch(/^(dual_write|event_first)$/)
    }
    const { rows } = await db.admin.query(
      'select verified_fingerprint = eventward.fingerprint(relid) as stands from eventward.captures',
    )
    expect(rows).toEqual([{ stands: 't' }])
    expect((await verify(db.database, Subscription)).table.clean).toBe(true)
  })

  it('is advanced while a verify ends beside it goes by the newer proof', async () => {
    let locks = 0
    const beside = interpose(db.database, async (text) => {
      if (!text.includes('in share row exclusive mode')) return
      locks += 1
      if (locks === 2) await verify(db.database, Subscription)
    })
    expect(await advance(beside, Subscription, PATIENT)).toMatchObject({ ok: true, to: 'event_first' })
    expect(locks).toBe(3)
  })

  it('is advanced while someone changes the table is refused by what that closes', async () => {
    let locks = 0
    const beside = interpose(db.database, async (text) => {
      if (!text.includes('in share row exclusive mode')) return
      locks += 1
      if (locks === 2) await db.admin.query('alter table public.subscriptions add column late integer')
    })
    const refused = await advance(beside, Subscription, PATIENT).catch((error: unknown) => error)
    expect(refused).toMatchObject({ ok: false })
    const { gate } = refused as Awaited<ReturnType<typeof advance>>
    expect(gate.filter(({ ok }) => !ok).map(({ name }) => name)).toContain('fingerprint')
    expect(await phaseOf(db)).toBe('dual_write')
  })
})

describe('a partitioned table', () => {
  const db = testDatabase()

  it('goes there and back with all its partitions, direct writes to one included', async () => {
    await db.admin.query(`
      create table public.parted (id integer primary key, v integer) partition by range (id);
      create table public.parted_low partition of public.parted for values from (0) to (1000);
      create table public.parted_high partition of public.parted for values from (1000) to (3000);
      insert into public.parted select i * 100 + 1, i from generate_series(0, 15) i`)
    const table = defineTable<{ id: Integer; v: Integer | null }>()({
      schema: 'public',
      name: 'parted',
      key: ['id'],
      columns: { id: { type: 'integer', nullable: false }, v: { type: 'integer', nullable: true } },
    })
    const definition = defineAggregate({
      name: 'Parted',
      table,
      events: { Created: { creates: true, data: ['v'] } },
    })
    await captureOn(db.database, definition)
    await prove(db, definition)
    expect(await advance(db.database, definition)).toMatchObject({ ok: true, to: 'event_first' })
    expect(await phaseOf(db, definition.name)).toBe('event_first')
    await db.admin.query(`
      update public.parted_low set v = v + 1;
      update public.parted set id = 1050 where id = 1;
      insert into public.parted values (2000, 1)`)
    expect(await rollback(db.database, definition)).toMatchObject({ ok: true, to: 'dual_write' })
    expect(await phaseOf(db, definition.name)).toBe('dual_write')
    const { differences } = await verify(db.database, definition)
    expect(differences).toEqual([])
  })
})
