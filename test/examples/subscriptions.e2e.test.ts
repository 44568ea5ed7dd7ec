import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { Subscription } from '../../examples/subscriptions/subscription.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'

const FOLDER = new URL('../../examples/subscriptions/', import.meta.url)

describe('examples/subscriptions', () => {
  const db = testDatabase()
  let said: readonly string[] = []

  beforeAll(async () => {
    await db.admin.query(await readFile(new URL('schema.sql', FOLDER), 'utf8'))
    await installCapture(db.database, Subscription)
    const main = fileURLToPath(new URL('main.ts', FOLDER))
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', main], {
      env: { ...process.env, DATABASE_URL: db.url },
    })
    said = stdout.trim().split('\n')
  })

  it('says what it did', () => {
    expect(said).toEqual([
      '38920 12 Created {"user_id":"123","reward_id":"334","payment_source_key":"224"}',
      '38921 12 Activated {"stripe_key":"sub_66123"}',
      'nothing to do',
      'activated: true, by sub_66123',
      'Subscription.Activate 12: it was deactivated',
      'mail: confirm, subscription 12',
      'mail: new subscriber, subscription 12',
      '1 Created changed user_id, reward_id, payment_source_key, status, created_at',
      '2 Activated changed status, stripe_key, activated_at',
      '3 Deactivated changed status, deactivated_at',
    ])
  })

  it('leaves the two events of the slide as they stand there', async () => {
    // Beside what the slide shows, metadata say who wrote it: what eventward adds is taken off here.
    const { rows } = await db.admin.query(
      `select position as id, aggregate_id as subscription_id, type, data::text as data,
         (metadata - '{app,command,definition,enqueued,shape,source,user,writer}'::text[])::text as metadata
       from public.events
       order by position`,
    )
    expect(rows).toEqual([
      {
        id: '38920',
        subscription_id: '12',
        type: 'Created',
        data: '{"user_id": 123, "reward_id": 334, "payment_source_key": 224}',
        metadata: '{"user_id": 123}',
      },
      {
        id: '38921',
        subscription_id: '12',
        type: 'Activated',
        data: '{"stripe_key": "sub_66123"}',
        metadata: '{"notification_id": 33456}',
      },
      {
        id: '38922',
        subscription_id: '12',
        type: 'Deactivated',
        data: '{}',
        metadata: '{"actor": "ada", "request": "r-1"}',
      },
    ])
  })

  it('has called each reactor once, and the trigger with its event', async () => {
    const { rows: mails } = await db.admin.query(
      'select template, subscription_id from public.mails order by template',
    )
    expect(mails).toEqual([
      { template: 'confirm', subscription_id: '12' },
      { template: 'new subscriber', subscription_id: '12' },
    ])
    const { rows: users } = await db.admin.query(
      `select u.id, u.updated_at = e.occurred_at as with_the_event
       from public.users u, public.events e
       where e.type = 'Activated'`,
    )
    expect(users).toEqual([{ id: '123', with_the_event: 't' }])
  })
})
