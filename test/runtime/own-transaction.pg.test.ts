/** The transaction that a command has for its own: two round trips, and knex's where someone wants it. */
import createKnex, { type Knex } from 'knex'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AppendedEvent, defineCommand, type Present, participate } from '../../src/runtime/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { resetSubscriptions } from './reset-subscriptions.js'

interface Driver {
  query(...given: unknown[]): unknown
  on(event: 'notice', heard: (notice: { readonly message: string }) => void): void
}

/** What a test has a command do while it decides. */
let deciding: (present: Present) => unknown = () => undefined

const Touch = defineCommand({
  aggregate: Subscription,
  build: async (_, __, present) => {
    await deciding(present as unknown as Present)
    return { type: 'Activated', data: { stripe_key: 'sub_1' } }
  },
})

describe('a command’s own transaction', () => {
  const db = testDatabase()
  let knex: Knex
  const [sent, notices]: [string[], string[]] = [[], []]
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query('create table public.notes (id bigint)')
    await installCapture(db.database, Subscription)
  })
  beforeEach(async () => {
    await resetSubscriptions(db.admin)
    await db.admin.query('truncate public.notes')
    await knex?.destroy()
    deciding = () => undefined
    knex = createKnex({
      client: 'pg',
      connection: db.url,
      pool: {
        min: 0,
        // One connection: what is left on it is met again.
        max: 1,
        afterCreate: (driver: Driver, done: (error: null, driver: Driver) => void) => {
          const query = driver.query.bind(driver)
          driver.query = (...given) => {
            const [first] = given as [string | { readonly text: string }]
            sent.push(typeof first === 'string' ? first : first.text)
            return query(...given)
          }
          driver.on('notice', ({ message }) => notices.push(message))
          done(null, driver)
        },
      },
    })
    await Touch.call(knex, { id: 13 })
    sent.length = 0
    notices.length = 0
  })
  afterAll(() => knex.destroy())

  const stored = async (id: string) => {
    const { rows } = await db.admin.query<{ n: string }>(
      `select count(*) as n from public.events where aggregate_id = $1 and metadata ->> 'source' = 'command'`,
      [id],
    )
    return Number(rows[0]?.n)
  }
  const usable = async () => {
    deciding = () => undefined
    expect((await Touch.call(knex, { id: 13 }))?.type).toBe('Activated')
    expect(notices).toEqual([])
  }

  it('takes two round trips', async () => {
    await Touch.call(knex, { id: 12 })
    expect(sent).toHaveLength(2)
    expect(sent.map((text) => /^begin|commit$/.exec(text)?.[0])).toEqual(['begin', 'commit'])
    expect(await stored('12')).toBe(1)
  })

  it('is one that knex has, where the command asks for it: what both write is one', async () => {
    const ids: string[] = []
    deciding = async ({ trx }) => {
      await trx('notes').insert({ id: 1 })
      const { rows } = await trx.raw('select pg_current_xact_id()::text as id')
      ids.push(rows[0].id)
    }
    const event = await Touch.call(knex, { id: 12 })
    const { rows } = await db.admin.query<{ id: string }>(
      'select transaction_id as id from public.events where position = $1',
      [event?.position],
    )
    expect(ids).toEqual([rows[0]?.id])
    expect((await db.admin.query('select from public.notes')).rowCount).toBe(1)
    // Without being asked twice from then on.
    const before = sent.length
    await Touch.call(knex, { id: 12 })
    expect(ids).toHaveLength(2)
    expect(sent.slice(before).filter((text) => text.startsWith('begin'))).toHaveLength(1)
    deciding = async ({ trx }) => {
      await trx('notes').insert({ id: 2 })
      throw new RangeError('no')
    }
    await expect(Touch.call(knex, { id: 12 })).rejects.toThrow('no')
    expect((await db.admin.query('select from public.notes where id = 2')).rowCount).toBe(0)
    await usable()
  })

  it('is one that knex has, where someone takes part', async () => {
    const seen: AppendedEvent[] = []
    const leave = participate(knex, {
      appended: async (trx, events) => {
        seen.push(...events)
        await trx('notes').insert({ id: events[0]?.id })
      },
    })
    try {
      await Touch.call(knex, { id: 12 })
      expect(seen.map(({ type }) => type)).toEqual(['Activated'])
      expect((await db.admin.query('select id from public.notes')).rows).toEqual([{ id: '12' }])
    } finally {
      leave()
    }
  })

  it('that fails at its COMMIT leaves nothing, and a connection that is as good as before', async () => {
    await db.admin.query(`
      create function public.refuse() returns trigger language plpgsql as $$ begin raise exception 'put off'; end $$;
      create constraint trigger put_off after update on public.subscriptions deferrable initially deferred
        for each row when (new.id = 12) execute function public.refuse()`)
    try {
      await expect(Touch.call(knex, { id: 12 })).rejects.toThrow('put off')
      expect(await stored('12')).toBe(0)
      await usable()
    } finally {
      await db.admin.query('drop trigger put_off on public.subscriptions; drop function public.refuse()')
    }
  })

  it('that fails before leaves nothing, nor a lock', async () => {
    deciding = () => {
      throw new RangeError('no')
    }
    await expect(Touch.call(knex, { id: 12 })).rejects.toThrow('no')
    await db.admin.query('select from public.subscriptions where id = 12 for update nowait')
    await usable()
  })

  it('whose connection ends is given to nobody any more', async () => {
    deciding = async () => {
      await db.admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and state = 'idle in transaction'`,
      )
    }
    await expect(Touch.call(knex, { id: 12 })).rejects.toThrow()
    expect(await stored('12')).toBe(0)
    await usable()
  })
})
