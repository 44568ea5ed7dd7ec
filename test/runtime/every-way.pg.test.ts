/** One write, whoever makes it, is the same stored events: by a trigger, by the shim, and what a command can say. */
import type { Knex } from 'knex'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { defineCommand, withEvents } from '../../src/runtime/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'
import { appKnex } from './app-knex.js'
import { forgetSubscriptions } from './reset-subscriptions.js'
import { schema } from './schema.js'

type Way = 'trigger' | 'shim'
const T = 'subscriptions'
const CREATED = '{"user_id": 1, "reward_id": 2, "payment_source_key": null}'
const row = (id: number, more: object = {}) => ({
  id,
  user_id: 1,
  reward_id: 2,
  status: 'unpaid',
  created_at: '2020-01-01T00:00:00.5Z',
  ...more,
})

describe.each<Way>(['trigger', 'shim'])('written past a %s', (way) => {
  const db = testDatabase()
  const plain = appKnex(db)
  let knex: Knex

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    if (way === 'trigger') await installCapture(db.database, Subscription)
    else await backfill(db.database, Subscription)
    knex =
      way === 'trigger'
        ? plain()
        : withEvents(plain(), { aggregates: [{ aggregate: Subscription, capture: 'shim' }] })
  })

  beforeEach(() => forgetSubscriptions(db.admin))

  afterEach(async () => {
    for (const engine of ['sql', 'replay'] as const) {
      const { differences, table } = await verify(db.database, Subscription, { engine })
      expect(differences).toEqual([])
      expect(table.clean).toBe(true)
    }
  })

  /** `id version type data [inferred]`, in the order of writing. */
  const events = async () => {
    const { rows } = await db.admin.query<Record<'event', string>>(
      `select concat_ws(' ', aggregate_id, version, type, data, metadata ->> 'inferred', metadata ->> 'existing') as event
       from public.events order by position`,
    )
    return rows.map(({ event }) => event)
  }
  const sources = async () => {
    const { rows } = await db.admin.query<Record<'source', string>>(
      `select distinct metadata ->> 'source' as source from public.events`,
    )
    return rows.map(({ source }) => source)
  }

  it('an insert is a creation', async () => {
    await knex(T).insert(row(1))
    expect(await events()).toEqual([`1 1 Created ${CREATED}`])
    expect(await sources()).toEqual([way])
  })

  it('an insert of several rows is as many creations, with all that they tell', async () => {
    const rows = await knex(T).insert(
      [
        row(1),
        row(2, { status: 'active', stripe_key: 'k', activated_at: '2020-01-02Z' }),
        row(3, { status: 'inactive' }),
      ],
      ['id', 'status'],
    )
    expect(rows).toEqual([
      { id: '1', status: 'unpaid' },
      { id: '2', status: 'active' },
      { id: '3', status: 'inactive' },
    ])
    expect(await events()).toEqual([
      `1 1 Created ${CREATED}`,
      `2 1 Created ${CREATED}`,
      '2 2 Activated {"stripe_key": "k"}',
      `3 1 Created ${CREATED}`,
      '3 2 Changed {"status": "inactive"} true',
    ])
  })

  it('an update is what it means; another is residue; one that changes nothing is nothing', async () => {
    await knex(T).insert(row(1))
    expect(
      await knex(T)
        .where({ id: 1 })
        .update({ status: 'active', activated_at: '2020-02-01Z', stripe_key: 'a' }),
    ).toBe(1)
    expect(await knex(T).where({ id: 1 }).update({ reward_id: 7 }, ['reward_id'])).toEqual([
      { reward_id: '7' },
    ])
    expect(await knex(T).where({ id: 1 }).update({ reward_id: 7 })).toBe(1)
    expect(await knex(T).where({ id: 404 }).update({ reward_id: 7 })).toBe(0)
    expect((await events()).slice(1)).toEqual([
      '1 2 Activated {"stripe_key": "a"}',
      '1 3 Changed {"reward_id": 7} true',
    ])
  })

  it('an update of some rows, by one condition or another, leaves the others alone', async () => {
    await knex(T).insert([row(1), row(2), row(3)])
    expect(await knex(T).where({ id: 1 }).orWhere({ id: 3 }).increment('reward_id', 5)).toBe(2)
    expect((await events()).slice(3)).toEqual([
      '1 2 Changed {"reward_id": 7} true',
      '3 2 Changed {"reward_id": 7} true',
    ])
  })

  it('a removal ends the stream, a key used again goes on with it', async () => {
    await knex(T).insert([row(1), row(2)])
    expect(await knex(T).where({ id: 1 }).delete(['id'])).toEqual([{ id: '1' }])
    await knex(T).insert(row(1))
    expect((await events()).slice(2)).toEqual(['1 2 Deleted {} true', `1 3 Created ${CREATED}`])
  })

  it('an upsert is a creation or a change, row by row', async () => {
    await knex(T).insert(row(1))
    await knex(T)
      .insert([row(1, { reward_id: 9 }), row(2)])
      .onConflict('id')
      .merge()
    await knex(T)
      .insert([row(2, { reward_id: 9 }), row(3)])
      .onConflict('id')
      .ignore()
    expect((await events()).slice(1)).toEqual([
      '1 2 Changed {"reward_id": 9} true',
      `2 1 Created ${CREATED}`,
      `3 1 Created ${CREATED}`,
    ])
  })

  it('a changed key ends one stream and begins another, linked', async () => {
    await knex(T).insert(row(1))
    await knex(T).where({ id: 1 }).update({ id: 5 })
    expect((await events()).slice(1)).toEqual(['1 2 Deleted {} true', `5 1 Created ${CREATED}`])
    const { rows } = await db.admin.query(
      `select aggregate_id, metadata ->> 'movedTo' as moved_to, metadata ->> 'movedFrom' as moved_from
       from public.events where version > 1 or aggregate_id = '5' order by position`,
    )
    expect(rows).toEqual([
      { aggregate_id: '1', moved_to: '5', moved_from: null },
      { aggregate_id: '5', moved_to: null, moved_from: '1' },
    ])
  })

  it('a row that has no stream yet is first recorded as it was', async () => {
    const unseen = `alter table public.subscriptions disable trigger user; ${insertSubscriptions}`
    await db.admin.query(way === 'trigger' ? `${unseen} ${ENABLE}` : insertSubscriptions)
    await knex(T).where({ id: 12 }).update({ reward_id: 1 })
    await knex(T).where({ id: 13 }).delete()
    expect(await events()).toEqual([
      '12 1 Created {"user_id": 123, "reward_id": 234, "payment_source_key": "pm_1"} true',
      '12 2 Activated {"stripe_key": "sub_66123"} true',
      '12 3 Changed {"reward_id": 1} true',
      '13 1 Created {"user_id": 345, "reward_id": 234, "payment_source_key": "pm_2"} true',
      '13 2 Activated {"stripe_key": "sub_66134"} true',
      '13 3 Deactivated {} true',
      '13 4 Changed {"status": "unpaid"} true true',
      '13 5 Deleted {} true',
    ])
  })

  it('a write and its events are rolled back together', async () => {
    await knex(T).insert(row(1))
    const failed = knex.transaction(async (trx) => {
      await trx(T).where({ id: 1 }).update({ reward_id: 3 })
      await trx(T).insert(row(2))
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect(await events()).toHaveLength(1)
  })

  it.each(['read committed', 'repeatable read', 'serializable'] as const)(
    'in a %s transaction',
    async (isolationLevel) => {
      await knex(T).insert(row(1))
      await knex.transaction(
        async (trx) => {
          await trx(T).where({ id: 1 }).update({ reward_id: 3 })
          await trx(T).insert(row(2))
          await trx.transaction((inner) => inner(T).where({ id: 2 }).update({ reward_id: 4 }))
          await trx(T).where({ id: 1 }).delete()
        },
        { isolationLevel },
      )
      expect((await events()).slice(1)).toEqual([
        '1 2 Changed {"reward_id": 3} true',
        `2 1 Created ${CREATED}`,
        '2 2 Changed {"reward_id": 4} true',
        '1 3 Deleted {} true',
      ])
    },
  )
})

const ENABLE = `alter table public.subscriptions enable always trigger "~eventward_before",
  enable always trigger "!eventward_after_insert", enable always trigger "!eventward_after_update",
  enable always trigger "~eventward_truncate";`

describe('written by commands', () => {
  const db = testDatabase()
  const knex = appKnex(db)

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
  })

  const Create = defineCommand({
    aggregate: Subscription,
    creates: true,
    build: () => ({ type: 'Created', data: { user_id: 1, reward_id: 2, payment_source_key: null } }),
  })
  const Activate = defineCommand({
    aggregate: Subscription,
    attributes: schema<{ stripe_key: string }>(),
    build: (_, { stripe_key }) => ({ type: 'Activated', data: { stripe_key } }),
  })
  const Remove = defineCommand({ aggregate: Subscription, deletes: true, several: true, build: () => [] })

  it('the same events are stored as where old code writes the same', async () => {
    await Create.call(knex(), { id: 1 })
    await Activate.call(knex(), { id: 1, stripe_key: 'a' })
    await Remove.call(knex(), { id: 1 })
    await Create.call(knex(), { id: 1 })
    await Create.call(knex(), { id: 2 })
    const { rows } = await db.admin.query<Record<'event', string>>(
      `select concat_ws(' ', aggregate_id, version, type, data) as event from public.events order by position`,
    )
    expect(rows.map(({ event }) => event)).toEqual([
      `1 1 Created ${CREATED}`,
      '1 2 Activated {"stripe_key": "a"}',
      '1 3 Deleted {}',
      `1 4 Created ${CREATED}`,
      `2 1 Created ${CREATED}`,
    ])
    for (const engine of ['sql', 'replay'] as const) {
      expect((await verify(db.database, Subscription, { engine })).differences).toEqual([])
    }
  })
})
