import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'

describe('examples/subscriptions.ts', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
  })

  it('says what it did, and leaves the events of the slide', async () => {
    const path = fileURLToPath(new URL('../../examples/subscriptions.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', path], {
      env: { ...process.env, DATABASE_URL: db.url },
    })
    expect(stdout.trim().split('\n')).toEqual([
      '1 Created {"user_id":"123","reward_id":"334","payment_source_key":"224"}',
      '2 Activated {"stripe_key":"sub_66123"}',
      'nothing to do',
      'Subscription.Activate 12: it was deactivated',
    ])
    const { rows } = await db.admin.query(
      `select type, data::text as data, (metadata - '{app,definition,shape,user,writer}'::text[])::text as metadata
       from public.events order by position`,
    )
    expect(rows).toEqual([
      {
        type: 'Created',
        data: '{"user_id": 123, "reward_id": 334, "payment_source_key": "224"}',
        metadata: '{"source": "command", "command": "Subscribe", "user_id": 123}',
      },
      {
        type: 'Activated',
        data: '{"stripe_key": "sub_66123"}',
        metadata: '{"source": "command", "command": "Activate", "notification_id": 33456}',
      },
      {
        type: 'Deactivated',
        data: '{}',
        metadata: '{"actor": "ada", "source": "trigger", "request": "r-1"}',
      },
    ])
  })
})
