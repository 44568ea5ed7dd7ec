/** Rows of an aggregate as the application meets them: found, looked back at, asked, written by events and commands. */
import { type } from 'arktype'
import * as v from 'valibot'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  defineCommand,
  eventsOf,
  participate,
  predicatesOf,
  repositoryOf,
  versionOf,
} from '../../src/runtime/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { appKnex } from './app-knex.js'
import { resetSubscriptions } from './reset-subscriptions.js'
import { schema } from './schema.js'

const { Activated, Created, Deactivated } = eventsOf(Subscription)
const { isActivated, isDeactivated } = predicatesOf(Subscription)
const Subscriptions = repositoryOf(Subscription)
const Activate = defineCommand({
  name: 'Activate',
  aggregate: Subscription,
  attributes: schema<{ stripe_key: string }>(({ stripe_key }) =>
    stripe_key === '' ? [{ message: 'is empty', path: ['stripe_key'] }] : [],
  ),
  validate: (state) => state.user_id === '345' && 'this user may not',
  noop: isActivated,
  build: (_, { stripe_key }) => ({ type: 'Activated', data: { stripe_key } }),
})

describe('an aggregate', () => {
  const db = testDatabase()
  const app = appKnex(db)
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
  })
  beforeEach(() => resetSubscriptions(db.admin))

  it('is its row, found by its key, with the version of its stream', async () => {
    const found = await Subscriptions.find(app(), { id: 12 })
    expect(found).toMatchObject({ id: '12', user_id: '123', status: 'active' })
    expect(versionOf(found)).toBe(2)
    expect(() => versionOf({ ...found })).toThrow('is not known')
    expect(await Subscriptions.find(app(), { id: 99 })).toBeNull()
    await expect(Subscriptions.get(app(), { id: 99 })).rejects.toMatchObject({ code: 'EW_COMMAND_GONE' })
    await expect(Subscriptions.find(app(), { id: 'twelve' as never })).rejects.toMatchObject({
      code: 'EW_COMMAND_INVALID',
    })
  })

  it('answers what its events set', async () => {
    expect(isActivated(await Subscriptions.get(app(), { id: 12 }))).toBe(true)
    const contradiction = await Subscriptions.get(app(), { id: 13 })
    expect([isActivated(contradiction), isDeactivated(contradiction)]).toEqual([false, false])
  })

  it('takes an event as it is, whose attributes are its own', async () => {
    await app().transaction(async (trx) => {
      const event = await Activated.create(
        trx,
        { id: 13, stripe_key: 'sub_1' },
        { metadata: { notification_id: 33456 } },
      )
      expect(event.stripe_key).toBe('sub_1')
      expect(event).toMatchObject({ type: 'Activated', id: '13', data: { stripe_key: 'sub_1' } })
      expect(event.metadata).toMatchObject({ notification_id: 33456, source: 'command' })
      expect(JSON.stringify(event).match(/sub_1/g)).toHaveLength(1)
      expect(isActivated(await Subscriptions.get(trx, { id: 13 }))).toBe(true)
    })
    await expect(Deactivated.create(app(), { id: 13, stripe_key: 'sub_1' } as never)).rejects.toMatchObject({
      code: 'EW_COMMAND_EVENT',
      message: expect.stringContaining('stripe_key'),
    })
    await expect(Created.create(app(), { id: 13 } as never)).rejects.toMatchObject({
      code: 'EW_COMMAND_EVENT',
    })
  })

  it('tells its history, and what it was at a version or a time', async () => {
    await Deactivated.create(app(), { id: 12 }, { metadata: { why: 'too dear' } })
    const history = await Subscriptions.history(app(), { id: 12 })
    expect(history.map(({ version, type }) => [version, type])).toEqual([
      [1, 'Created'],
      [2, 'Activated'],
      [3, 'Deactivated'],
    ])
    expect(history[1]?.changed).toEqual([
      { column: 'status', before: 'unpaid', after: 'active' },
      { column: 'stripe_key', before: null, after: 'sub_66123' },
      { column: 'activated_at', before: null, after: '2018-02-01 00:00:00+00' },
    ])
    expect(history[2]?.metadata).toMatchObject({ why: 'too dear' })
    expect(await Subscriptions.at(app(), { id: 12 }, 1)).toMatchObject({ status: 'unpaid', stripe_key: null })
    expect(await Subscriptions.at(app(), { id: 12 }, '2018-03-01')).toMatchObject({ status: 'active' })
    expect(await Subscriptions.at(app(), { id: 12 }, '2018-01-01')).toBeNull()
    await expect(Subscriptions.at(app(), { id: 12 }, 'yesterweek')).rejects.toMatchObject({
      code: 'EW_COMMAND_INVALID',
    })
  })

  it('has gone on since it was read: a command that expected its version is refused, and writes nothing', async () => {
    const seen = await Subscriptions.get(app(), { id: 13 })
    const version = versionOf(seen)
    await db.admin.query('update public.subscriptions set user_id = 7 where id = 13')
    await expect(
      Activate.call(app(), { id: 13, stripe_key: 'k' }, { expectedVersion: version }),
    ).rejects.toMatchObject({ code: 'EW_CONFLICT', details: { version: version + 1, expected: version } })
    const event = await Activate.call(app(), { id: 13, stripe_key: 'k' }, { expectedVersion: version + 1 })
    expect(event?.version).toBe(version + 2)
  })

  it('changes by several events of one command, each deciding upon what the one before has left', async () => {
    const Renew = defineCommand({
      aggregate: Subscription,
      several: true,
      build: async (_, __, present) => {
        const first = { type: 'Deactivated' } as const
        const after = await present.after(first)
        if (after?.status !== 'inactive') return [first]
        return [first, { type: 'Activated', data: { stripe_key: `after ${after.status}` } }]
      },
    })
    const events = await Renew.call(app(), { id: 12 })
    expect(events?.map(({ version, type }) => [version, type])).toEqual([
      [3, 'Deactivated'],
      [4, 'Activated'],
    ])
    expect(await Subscriptions.get(app(), { id: 12 })).toMatchObject({
      status: 'active',
      stripe_key: 'after inactive',
    })
  })

  it('says what is wrong with a command before it is called, and stays as it is', async () => {
    const heads = async () =>
      (
        await db.admin.query(
          'select aggregate_id, max(version) as v from public.events group by 1 order by 1',
        )
      ).rows
    const before = await heads()
    expect(await Activate.errors({ id: 12, stripe_key: '' })).toEqual([
      { message: 'is empty', path: ['stripe_key'] },
    ])
    expect(await Activate.valid({ id: 13, stripe_key: 'k' })).toBe(true)
    expect(await Activate.errors({ id: 13, stripe_key: 'k' }, app())).toEqual([
      { message: 'this user may not' },
    ])
    expect(await Activate.valid({ id: 12, stripe_key: 'k' }, app())).toBe(true)
    expect(await Activate.errors({ id: 99, stripe_key: 'k' }, app())).toHaveLength(1)
    await app().transaction(async (trx) => {
      expect(await Activate.valid({ id: 12, stripe_key: 'k' }, trx)).toBe(true)
      const other = await db.client()
      // Whoever asked holds no row.
      await other.query(
        "set lock_timeout = '2s'; update public.subscriptions set user_id = user_id where id = 12",
      )
    })
    expect(await heads()).toEqual(before)
  })

  it.each([
    ['zod', z.object({ stripe_key: z.string().min(1).trim() })],
    ['valibot', v.object({ stripe_key: v.pipe(v.string(), v.minLength(1), v.trim()) })],
    ['arktype', type({ stripe_key: 'string.trim |> string > 0' })],
  ])('takes attributes by %s', async (_, attributes) => {
    const By = defineCommand({
      aggregate: Subscription,
      attributes,
      build: (_, { stripe_key }) => ({ type: 'Activated', data: { stripe_key } }),
    })
    const event = await By.call(app(), { id: 13, stripe_key: ' sub_2 ' })
    expect(event?.stripe_key).toBe('sub_2')
    const issues = await By.errors({ id: 13, stripe_key: '' })
    expect(issues[0]?.path).toEqual(['stripe_key'])
  })
})

describe('what takes part in a command', () => {
  const db = testDatabase()
  const app = appKnex(db)
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
  })
  beforeEach(() => resetSubscriptions(db.admin))

  it('gets its events in its transaction, names what it enqueues in their metadata, and can undo all', async () => {
    const seen: string[] = []
    const leave = participate(app(), {
      enqueues: async (_, events) => Object.fromEntries(events.map(({ type }) => [type, ['Confirm']])),
      appended: async (trx, events) => {
        const { rows } = await trx.raw<{ rows: { status: string }[] }>(
          'select status from public.subscriptions where id = 13',
        )
        seen.push(...events.map((event) => `${event.type} ${rows[0]?.status}`))
        if (events.some(({ data }) => (data as { stripe_key?: string }).stripe_key === 'no'))
          throw new TypeError('no')
      },
    })
    const event = await Activated.create(app(), { id: 13, stripe_key: 'yes' })
    expect(event.metadata['enqueued']).toEqual({ Activated: ['Confirm'] })
    await expect(Activated.create(app(), { id: 13, stripe_key: 'no' })).rejects.toThrow(/^no$/)
    expect(seen).toEqual(['Activated active', 'Activated active'])
    expect((await Subscriptions.get(app(), { id: 13 })).stripe_key).toBe('yes')
    leave()
    const alone = await Deactivated.create(app(), { id: 13 })
    expect(alone.metadata).not.toHaveProperty('enqueued')
    expect(seen).toHaveLength(2)
  })
})
