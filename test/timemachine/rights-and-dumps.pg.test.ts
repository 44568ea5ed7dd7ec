import { execFileSync, spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { timeMachineOn, timeMachineStatus } from '../../src/timemachine/index.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'

/** Major version of pg_dump; 0 where there is none. */
const PG_DUMP = Number(
  /(\d+)\./.exec(spawnSync('pg_dump', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1] ?? 0,
)
const PSQL = spawnSync('psql', ['--version'], { stdio: 'ignore' }).status === 0
const SERVER = Number(process.env['EVENTWARD_TEST_PG'] ?? '18')

describe('a table as of a time', () => {
  const db = testDatabase()
  const copy = testDatabase({ migrated: false })
  const role = `reporter_${process.pid}`

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(insertSubscriptions)
    await backfill(db.database, Subscription)
    await db.database.session((session) => timeMachineOn(session, Subscription))
    await db.admin.query(`create role ${role} nologin`)
  })
  afterAll(() => db.admin.query(`reset role; drop owned by ${role}; drop role ${role}`))

  it('can be read by whoever may read events, and by no one else', async () => {
    const reader = await db.client()
    await reader.query(`set role ${role}`)
    const ask = () => reader.query(`select id from eventward.subscriptions_as_of('2018-03-01') order by id`)
    await expect(ask()).rejects.toMatchObject({ code: '42501' })
    await db.admin.query(`grant usage on schema eventward to ${role}`)
    await expect(ask()).rejects.toMatchObject({ code: '42501', message: expect.stringContaining('events') })
    await db.admin.query(`grant select on public.events to ${role}`)
    expect((await ask()).rows).toEqual([{ id: '12' }, { id: '13' }])
  })

  it.skipIf(PG_DUMP < SERVER || !PSQL)(
    'comes back with a dump, in whatever order its objects are made (needs pg_dump of the server’s version)',
    async () => {
      const dump = execFileSync('pg_dump', ['--no-owner', '--no-acl', '-d', db.url], {
        maxBuffer: 64_000_000,
      })
      execFileSync('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', copy.url], {
        input: dump,
        stdio: ['pipe', 'ignore', 'pipe'],
      })
      const { rows } = await copy.admin.query(
        `select id, status from eventward.subscriptions_as_of('2018-03-01') order by id`,
      )
      expect(rows).toEqual([
        { id: '12', status: 'active' },
        { id: '13', status: 'active' },
      ])
      expect(
        await copy.database.session((session) => timeMachineStatus(session, Subscription)),
      ).toMatchObject({ state: 'on' })
    },
  )
})
