import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { defineCommand, withContext } from '../../src/runtime/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { appKnex } from './app-knex.js'
import { resetSubscriptions } from './reset-subscriptions.js'
import { schema } from './schema.js'

const Create = defineCommand({
  name: 'Create',
  aggregate: Subscription,
  creates: true,
  attributes: schema<{ user_id: number; reward_id: number }>((value) =>
    typeof value['user_id'] === 'number' ? [] : [{ message: 'is no number', path: ['user_id'] }],
  ),
  build: (_, { user_id, reward_id }) => ({
    type: 'Created',
    data: { user_id, reward_id, payment_source_key: null },
  }),
})

const Activate = defineCommand({
  name: 'Activate',
  aggregate: Subscription,
  attributes: schema<{ stripe_key: string }>(({ stripe_key }) =>
    stripe_key === '' ? [{ message: 'is empty', path: ['stripe_key'] }] : [],
  ),
  validate: (state) => (state.status === 'inactive' ? 'it was deactivated' : null),
  noop: (state) => state.status === 'active',
  build: (_, { stripe_key }) => ({ type: 'Activated', data: { stripe_key } }),
})

const Remove = defineCommand({
  name: 'Remove',
  aggregate: Subscription,
  deletes: true,
  several: true,
  build: () => [{ type: 'Deactivated' }],
})

describe('a command on a captured table', () => {
  const db = testDatabase()
  const app = appKnex(db)

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
  })

  beforeEach(() => resetSubscriptions(db.admin))

  const stream = async (id: string) => {
    const { rows } = await db.admin.query<Record<'event', string>>(
      `select concat_ws(' ', version, type, data, metadata ->> 'source', metadata ->> 'command') as event
       from public.events where aggregate_id = $1 order by version`,
      [id],
    )
    return rows.map(({ event }) => event)
  }

  const clean = async () => {
    for (const engine of ['sql', 'replay'] as const) {
      const { differences, table } = await verify(db.database, Subscription, { engine })
      expect(differences).toEqual([])
      expect(table.clean).toBe(true)
    }
  }

  it('appends its event and writes the row', async () => {
    const event = await Activate.call(app(), { id: 13, stripe_key: 'sub_new' })
    expect(event).toMatchObject({
      aggregate: 'Subscription',
      id: '13',
      type: 'Activated',
      data: { stripe_key: 'sub_new' },
      metadata: { source: 'command', command: 'Activate' },
    })
    expect(event?.position).toMatch(/^\d+$/)
    expect((await stream('13')).at(-1)).toBe(
      `${event?.version} Activated {"stripe_key": "sub_new"} command Activate`,
    )
    const { rows } = await db.admin.query('select status, stripe_key from public.subscriptions where id = 13')
    expect(rows).toEqual([{ status: 'active', stripe_key: 'sub_new' }])
    await clean()
  })

  it('is a no-op where there is nothing to do', async () => {
    const before = await stream('12')
    expect(await Activate.call(app(), { id: '12', stripe_key: 'other' })).toBeNull()
    expect(await stream('12')).toEqual(before)
  })

  it('creates a row under the key that it is given', async () => {
    const event = await Create.call(app(), { id: 14n, user_id: 1, reward_id: 2 })
    expect(event).toMatchObject({ id: '14', version: 1, data: { user_id: '1', reward_id: '2' } })
    await clean()
  })

  it('removes a row, with what happened before', async () => {
    const events = await Remove.call(app(), { id: 12 })
    expect(events?.map(({ type }) => type)).toEqual(['Deactivated', 'Deleted'])
    const { rows } = await db.admin.query('select from public.subscriptions where id = 12')
    expect(rows).toEqual([])
    await clean()
  })

  it('refuses attributes, states and rows that are not there, and writes nothing', async () => {
    const before = await stream('12')
    await expect(Activate.call(app(), { id: 12, stripe_key: '' })).rejects.toMatchObject({
      code: 'EW_COMMAND_INVALID',
      details: { issues: [{ path: ['stripe_key'] }] },
    })
    await Remove.call(app(), { id: 12 })
    await expect(Activate.call(app(), { id: 12, stripe_key: 'x' })).rejects.toMatchObject({
      code: 'EW_COMMAND_GONE',
    })
    await db.admin.query(`update public.subscriptions set status = 'inactive' where id = 13`)
    await expect(Activate.call(app(), { id: 13, stripe_key: 'x' })).rejects.toMatchObject({
      code: 'EW_COMMAND_REFUSED',
      message: 'Subscription.Activate 13: it was deactivated',
    })
    expect((await stream('12')).length).toBe(before.length + 2)
  })

  it('carries who acts, and what its caller says, in its metadata', async () => {
    const event = await withContext({ actor: 'ada', requestId: 'r-1' }, () =>
      Activate.call(
        app(),
        { id: 13, stripe_key: 'k' },
        { metadata: { notification_id: 33456, source: 'me' } },
      ),
    )
    expect(event?.metadata).toMatchObject({
      actor: 'ada',
      request: 'r-1',
      notification_id: 33456,
      source: 'command',
    })
    await clean()
  })

  it('joins the transaction of its caller, and leaves its settings as they were', async () => {
    const shown = async (trx: { raw: (sql: string) => Promise<unknown> }) =>
      (
        (await trx.raw(`select current_setting('TimeZone') tz, current_setting('DateStyle') ds,
        current_setting('search_path') sp, current_setting('IntervalStyle') i,
        nullif(current_setting('eventward.metadata', true), '') m`)) as { rows: unknown[] }
      ).rows
    const before = await stream('13')
    const failure = app().transaction(async (trx) => {
      const settings = await shown(trx)
      await withContext({ actor: 'ada' }, () => Activate.call(trx, { id: 13, stripe_key: 'k' }))
      expect(await shown(trx)).toEqual(settings)
      throw new Error('the caller changed its mind')
    })
    await expect(failure).rejects.toThrow('changed its mind')
    expect(await stream('13')).toEqual(before)
  })
})
