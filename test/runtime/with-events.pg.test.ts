import type { Knex } from 'knex'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { cutoverStatus } from '../../src/cutover/index.js'
import { withContext, withEvents } from '../../src/runtime/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { appKnex } from './app-knex.js'
import { resetSubscriptions } from './reset-subscriptions.js'

const METADATA = `nullif(current_setting('eventward.metadata', true), '')`
const context = { actor: 'ada', requestId: 'r-7', correlation: 'c-1', causation: 33456 }

describe('a knex with events, on a table with triggers', () => {
  const db = testDatabase()
  const plain = appKnex(db, { max: 1 })
  let knex: Knex

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
    knex = withEvents(plain(), { aggregates: [Subscription] })
  })

  beforeEach(() => resetSubscriptions(db.admin))

  /** Of the last event: who, and in which request. */
  const last = async () => {
    const { rows } = await db.admin.query<Record<'type' | 'said', string>>(
      `select type, jsonb_strip_nulls(jsonb_build_object('actor', metadata -> 'actor', 'request', metadata -> 'request',
         'correlation', metadata -> 'correlation', 'causation', metadata -> 'causation'))::text as said
       from public.events order by position desc limit 1`,
    )
    return rows[0]
  }
  const ADA = '{"actor": "ada", "request": "r-7", "causation": 33456, "correlation": "c-1"}'
  /** What the pool's only connection shows to whoever gets it next. */
  const leftOver = async () => {
    const found = (await plain().raw(`select ${METADATA} as metadata`)) as { rows: { metadata: unknown }[] }
    return found.rows[0]?.metadata
  }

  it('a single write bears the context, and nothing of it stays on the pooled connection (C6)', async () => {
    await withContext(context, () => knex('subscriptions').where({ id: 12 }).update({ reward_id: 1 }))
    expect(await last()).toEqual({ type: 'Changed', said: ADA })
    expect(await leftOver()).toBeNull()
    await knex('subscriptions').where({ id: 12 }).update({ reward_id: 2 })
    expect(await last()).toEqual({ type: 'Changed', said: '{}' })
  })

  it('the naive form, a setting of the session, leaks to the next transaction of the connection (C6)', async () => {
    await plain().raw(`select set_config('eventward.metadata', '{"actor":"ada"}', false)`)
    await plain()('subscriptions').where({ id: 12 }).update({ reward_id: 3 })
    expect((await last())?.said).toBe('{"actor": "ada"}')
    await plain().raw(`reset eventward.metadata`)
  })

  it('a raw write bears it as well', async () => {
    await withContext(context, () => knex.raw('update subscriptions set reward_id = ? where id = ?', [4, 12]))
    expect((await last())?.said).toBe(ADA)
    expect(await leftOver()).toBeNull()
  })

  it('all writes of a transaction bear it, those of a nested one and after that too', async () => {
    await withContext(context, () =>
      knex.transaction(async (trx) => {
        await trx('subscriptions').where({ id: 12 }).update({ reward_id: 5 })
        await trx
          .transaction(async (inner) => {
            await withContext({ actor: 'bob' }, () => inner('subscriptions').where({ id: 12 }).delete())
            throw new Error('undone')
          })
          .catch(() => undefined)
        await trx('subscriptions').where({ id: 13 }).update({ reward_id: 6 })
      }),
    )
    expect(await last()).toEqual({ type: 'Changed', said: ADA })
    expect(await leftOver()).toBeNull()
  })

  it('a transaction that outlives its context bears it no longer', async () => {
    const trx = await withContext(context, () => knex.transaction())
    await trx('subscriptions').where({ id: 12 }).update({ reward_id: 5 })
    await trx.commit()
    expect((await last())?.said).toBe('{}')
  })

  it('is the knex that it was', async () => {
    await withContext(context, async () => {
      expect(await knex('subscriptions').orderBy('id').pluck('id')).toEqual(['12', '13'])
      expect(await knex('subscriptions').where({ id: 12 }).first('status')).toEqual({ status: 'active' })
      expect(await knex('subscriptions').count('* as n')).toEqual([{ n: '2' }])
      expect(
        await knex('subscriptions').where({ id: 12 }).update({ reward_id: 8 }, ['id', 'reward_id']),
      ).toEqual([{ id: '12', reward_id: '8' }])
      expect(await knex('subscriptions').where({ id: 12 }).delete()).toBe(1)
      const provider = knex.transactionProvider()
      const trx = await provider()
      expect(trx.isTransaction).toBe(true)
      expect(await trx('subscriptions').delete()).toBe(1)
      await trx.rollback()
      expect(trx.isCompleted()).toBe(true)
      await expect(knex('subscriptions').insert({ id: 13 })).rejects.toMatchObject({ code: '23502' })
      await knex.schema.createTable('notes', (table) => table.increments())
      await knex.batchInsert('notes', [{ id: 1 }, { id: 2 }, { id: 3 }], 2)
      expect(await knex('notes').max('id as id').first()).toEqual({ id: 3 })
      await knex.raw('vacuum notes')
    })
    expect(await leftOver()).toBeNull()
  })

  it('refuses to keep by itself the events of a table that has triggers', async () => {
    const twice = withEvents(plain(), { aggregates: [{ aggregate: Subscription, capture: 'shim' }] })
    await expect(twice('subscriptions').where({ id: 12 }).update({ reward_id: 1 })).rejects.toMatchObject({
      code: 'EW_SHIM_CAPTURED',
    })
  })
})

describe('a knex with events whose snapshot is older than the triggers of its table', () => {
  const db = testDatabase()
  const plain = appKnex(db)

  it('refuses to keep the events by itself: the triggers fire all the same', async () => {
    await db.admin.query(createSubscriptions)
    await backfill(db.database, Subscription)
    const knex = withEvents(plain(), { aggregates: [{ aggregate: Subscription, capture: 'shim' }] })
    const trx = await knex.transaction(undefined, { isolationLevel: 'repeatable read' })
    await trx('subscriptions').select()
    await installCapture(db.database, Subscription)
    const row = { id: 1, user_id: 1, reward_id: 1, status: 'unpaid', created_at: 'now' }
    await expect(trx('subscriptions').insert(row)).rejects.toMatchObject({ code: 'EW_SHIM_CAPTURED' })
    await trx.rollback()
  })
})

describe('a knex with events, on a table without triggers', () => {
  const db = testDatabase()
  const plain = appKnex(db)
  let knex: Knex

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    knex = withEvents(plain(), { aggregates: [{ aggregate: Subscription, capture: 'shim' }] })
  })

  it('refuses to write where nobody could read its events', async () => {
    const row = { id: 1, user_id: 1, reward_id: 1, status: 'unpaid', created_at: 'now' }
    await expect(knex('subscriptions').insert(row)).rejects.toMatchObject({ code: 'EW_NOT_CAPTURED' })
    expect(await plain()('subscriptions')).toEqual([])
    await backfill(db.database, Subscription)
    await knex('subscriptions').insert(row)
    expect(await knex('events').pluck('type')).toEqual(['Created'])
  })

  it('keeps its table out of event_first: without triggers nobody knows who else writes', async () => {
    await knex('subscriptions').where({ id: 1 }).update({ reward_id: 2 })
    const { gate } = await cutoverStatus(db.database, Subscription)
    const refusal = gate.find(({ ok }) => !ok)
    expect(JSON.stringify(refusal)).toContain('by the shim alone')
  })

  it.each([
    'update subscriptions set reward_id = 1',
    'update only public."subscriptions" s set reward_id = 1',
    'with x as (delete from subscriptions returning *) select * from x',
    `/* select */ DELETE FROM Subscriptions`,
    'truncate subscriptions',
    'merge into subscriptions using (values (1)) v (id) on false when not matched then do nothing',
  ])('refuses a raw write to it: %s', async (text) => {
    await expect(knex.raw(text)).rejects.toMatchObject({ code: 'EW_SHIM_RAW' })
    await expect(knex.transaction((trx) => trx.raw(text))).rejects.toMatchObject({ code: 'EW_SHIM_RAW' })
  })

  it.each([
    'select * from subscriptions for update',
    'select * from subscriptions for no key update',
    `select 'update subscriptions' as said, /* delete from subscriptions */ id from subscriptions`,
    'insert into others select id from generate_series(1, 2) id',
  ])('lets others pass: %s', async (text) => {
    await db.admin.query('create table if not exists public.others (id bigint)')
    await knex.transaction((trx) => trx.raw(text))
  })

  it('refuses writes of which it can not tell the rows', async () => {
    const refused: readonly Knex.QueryBuilder[] = [
      knex('subscriptions').truncate(),
      knex('subscriptions').updateFrom('others').where('others.id', 1).update({ reward_id: 1 }),
      knex('subscriptions').using(['others']).where('others.id', 1).delete(),
      knex('subscriptions').update({ id: knex.raw('id + 10') }),
      knex('subscriptions')
        .insert({ id: 9, user_id: 1, reward_id: 1, status: 'unpaid', created_at: 'now' })
        .onConflict(knex.raw('(id)') as never)
        .merge(['reward_id']),
    ]
    await knex('subscriptions').insert({
      id: 2,
      user_id: 1,
      reward_id: 1,
      status: 'unpaid',
      created_at: 'now',
    })
    for (const builder of refused) await expect(builder).rejects.toMatchObject({ code: 'EW_SHIM_UNSEEN' })
    const inside = knex.with('gone', knex('subscriptions').delete().returning('id')).select('*').from('gone')
    await expect(inside).rejects.toMatchObject({ code: 'EW_SHIM_RAW' })
  })

  it('bears the context', async () => {
    await withContext(context, () => knex('subscriptions').where({ id: 1 }).update({ reward_id: 77 }))
    const { rows } = await db.admin.query(
      `select metadata ->> 'actor' as actor, metadata ->> 'source' as source, metadata ->> 'user' is not null as user
       from public.events order by position desc limit 1`,
    )
    expect(rows).toEqual([{ actor: 'ada', source: 'shim', user: 't' }])
  })
})
