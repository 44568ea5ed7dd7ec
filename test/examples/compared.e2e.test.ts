import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { subscriptions as onEmmett } from '../../examples/compared/emmett.js'
import { Subscription, subscriptions } from '../../examples/compared/eventward.js'
import { appKnex } from '../runtime/app-knex.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'

const SCHEMA = new URL('../../examples/subscriptions/schema.sql', import.meta.url)

describe('a subscription with eventward', () => {
  const db = testDatabase()
  const knex = appKnex(db)
  beforeAll(async () => {
    await db.admin.query(await readFile(SCHEMA, 'utf8'))
    await installCapture(db.database, Subscription)
  })

  it('goes through the same story', async () => {
    await story(subscriptions(knex()), db.admin)
  })

  it('does not lose an event that another way of writing made', async () => {
    await db.admin.query(
      `update public.subscriptions set status = 'active', stripe_key = 'by hand', activated_at = now() where id = 12`,
    )
    expect(await subscriptions(knex()).history(12)).toEqual([
      'Created',
      'Activated',
      'Deactivated',
      'Activated',
    ])
  })
})

describe('a subscription with Emmett', () => {
  const db = testDatabase({ migrated: false })
  let opened: ReturnType<typeof onEmmett> | undefined
  beforeAll(async () => {
    await db.admin.query(await readFile(SCHEMA, 'utf8'))
    opened = onEmmett(db.url)
  })
  afterAll(() => opened?.close())

  it('goes through the same story', async () => {
    await story(opened!, db.admin)
  })

  it('knows nothing of what was written to the row by another way', async () => {
    await db.admin.query(
      `update public.subscriptions set status = 'active', stripe_key = 'by hand', activated_at = now() where id = 12`,
    )
    expect(await opened!.history(12)).toEqual(['Created', 'Activated', 'Deactivated'])
  })
})

type Subscriptions = ReturnType<typeof subscriptions> | ReturnType<typeof onEmmett>

/** Subscribe, pay, pay once more, leave, and be refused: then the row, the events, and how it was. */
async function story(
  on: Subscriptions,
  admin: { query(text: string): Promise<{ readonly rows: unknown[] }> },
): Promise<void> {
  await on.subscribe(12, 123, 334)
  await expect(on.subscribe(12, 123, 334)).rejects.toThrow()
  await expect(on.activate(12, '')).rejects.toThrow()
  await on.activate(12, 'sub_66123')
  await on.activate(12, 'sub_66123')
  await on.deactivate(12, 'moved away')
  await expect(on.activate(12, 'sub_66123')).rejects.toThrow('it was deactivated')
  await expect(on.activate(13, 'sub_66123')).rejects.toThrow()

  expect(await on.history(12)).toEqual(['Created', 'Activated', 'Deactivated'])
  expect([await on.statusAt(12, 1), await on.statusAt(12, 2)]).toEqual(['unpaid', 'active'])
  const { rows } = await admin.query(
    `select id, user_id, reward_id, status, stripe_key, activated_at is not null as activated,
       deactivated_at is not null as deactivated
     from public.subscriptions`,
  )
  expect(rows).toEqual([
    {
      id: '12',
      user_id: '123',
      reward_id: '334',
      status: 'inactive',
      stripe_key: 'sub_66123',
      activated: 't',
      deactivated: 't',
    },
  ])
}
