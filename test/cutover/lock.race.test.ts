/** The lock of a flip: short, never a queue behind someone who will not go away, and no one is ended for it. */
import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { advance, type CutoverProgress, cutoverStatus, rehearse, rollback } from '../../src/cutover/index.js'
import { connect, type Database } from '../../src/db/index.js'
import { migrateUp } from '../../src/migrate/index.js'
import { testDatabase } from '../support/database.js'
import { interpose } from '../support/interpose.js'
import { backendPid, gate, until, waitUntilBlocked } from '../support/race.js'
import { Subscription } from '../support/subscription.js'
import { startTestServer, type TestServer } from '../support/test-server.js'
import { textClient } from '../support/text-client.js'
import { forget, phaseOf, provenSubscriptions } from './proven-table.js'

const FAST = { pauseMs: 30, lockTimeoutMs: 100 } as const

describe('a flip', () => {
  const db = testDatabase()
  beforeEach(async () => {
    await forget(db)
    await provenSubscriptions(db, 10)
  })

  /** A writer that is at work, and won't end by itself. */
  async function busyWriter(name: string): Promise<{ client: pg.Client; pid: string }> {
    const client = await db.client()
    await client.query(`set application_name = '${name}'`)
    await client.query('begin; update public.subscriptions set user_id = 0 where id = 1')
    return { client, pid: await backendPid(client) }
  }

  it.each([
    ['rehearse', rehearse],
    ['advance', advance],
  ] as const)(
    '(%s) gives up behind a writer within its bound, names it, tries again and gets through',
    async (_, step) => {
      const { client, pid } = await busyWriter('web')
      const told: CutoverProgress[] = []
      const onProgress = (progress: CutoverProgress) => {
        told.push(progress)
        if (told.filter(({ kind }) => kind === 'gave_up').length === 2) void client.query('commit')
      }
      const result = await step(db.database, Subscription, { ...FAST, onProgress })
      expect(result).toMatchObject({ ok: true })
      const gaveUp = told.filter((one) => one.kind === 'gave_up')
      expect(gaveUp.length).toBeGreaterThanOrEqual(2)
      for (const { why } of gaveUp.slice(0, 2)) expect(why).toContain(`pid ${pid} (web`)
      expect(result.longestWaitMs).toBeLessThan(2_000)
      const { rows } = await db.admin.query('select user_id from public.subscriptions where id = 1')
      expect(rows, 'it was not ended').toEqual([{ user_id: '0' }])
    },
  )

  it('gives up for good after its tries, changes nothing, and lets the writers through that had queued behind it', async () => {
    const { client } = await busyWriter('web')
    const other = await db.client()
    const otherPid = await backendPid(other)
    const flip = expect(advance(db.database, Subscription, { ...FAST, tries: 3 })).rejects.toMatchObject({
      code: 'EW_LOCK_BUSY',
      exitStatus: 3,
    })
    await other.query('update public.subscriptions set user_id = 2 where id = 2')
    await flip
    expect(await phaseOf(db)).toBe('dual_write')
    await client.query('commit')
    expect(otherPid).not.toBe('')
  })

  it('asks for no lock behind a transaction that is older than its bound, so that no writer queues', async () => {
    const { client } = await busyWriter('web')
    await until(async () => {
      const { rows } = await db.admin.query<{ old: string }>(
        `select count(*) as old from pg_stat_activity where application_name = 'web' and xact_start < clock_timestamp() - interval '150 ms'`,
      )
      return rows[0]?.old === '1'
    })
    const asked: string[] = []
    const watched = interpose(db.database, async (text) => {
      if (/in share row exclusive mode/.test(text)) asked.push(text)
    })
    await expect(rehearse(watched, Subscription, { ...FAST, tries: 2 })).rejects.toMatchObject({
      code: 'EW_LOCK_BUSY',
    })
    expect(asked.length, 'only when it is late').toBeLessThanOrEqual(1)
    await client.query('commit')
  })

  it('that hangs while it holds the lock is ended by the server, and nobody waits for it', async () => {
    const hung = gate()
    let flips = 0
    const hanging = interpose(db.database, async (text) => {
      if (!text.includes('eventward.flip')) return
      flips += 1
      if (flips === 1) await hung.pass()
    })
    expect((await advance(db.database, Subscription)).ok).toBe(true)
    const hangs = rollback(hanging, Subscription, FAST)
    await hung.entered
    const started = performance.now()
    await db.admin.query('update public.subscriptions set user_id = 3 where id = 3')
    expect(performance.now() - started).toBeLessThan(3_000)
    expect(await phaseOf(db)).toBe('event_first')
    hung.open()
    expect(await hangs, 'once it is awake again, it tries again').toMatchObject({
      ok: true,
      to: 'dual_write',
    })
    expect(await phaseOf(db)).toBe('dual_write')
  })
})

describe('an autovacuum (B5)', () => {
  let server: TestServer
  let admin: pg.Client
  let database: Database

  beforeAll(async () => {
    server = await startTestServer(undefined, ['autovacuum=on', 'autovacuum_naptime=1s'])
    await migrateUp({ url: server.url, events: { schema: 'public', table: 'events' } })
    admin = await textClient(server.url)
    database = await connect({ url: server.url })
    await provenSubscriptions({ admin, database }, 20_000)
    expect((await rehearse(database, Subscription)).ok).toBe(true)
    // One that takes long: it sleeps after each page.
    await admin.query(`
      alter table public.subscriptions set (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,
        autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);
      update eventward.captures set verified_fingerprint = eventward.fingerprint(relid)`)
    await admin.query('update public.subscriptions set user_id = user_id + 1 where id <= 2000')
    await until(async () => (await vacuums()) > 0, { withinMs: 60_000, what: 'an autovacuum' })
  })
  afterAll(async () => {
    await database?.close()
    await admin?.end()
    await server?.stop()
  })

  const vacuums = async () => {
    const { rows } = await admin.query<{ n: string }>(
      `select count(*) as n from pg_stat_progress_vacuum where relid = 'public.subscriptions'::regclass`,
    )
    return Number(rows[0]?.n)
  }

  it('is never got past by a short lock_timeout, which keeps a writer waiting each time (the naive form)', async () => {
    const flip = await textClient(server.url)
    const writer = await textClient(server.url)
    const pids = [await backendPid(flip), await backendPid(writer)] as const
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await flip.query(`begin; set local lock_timeout = '400ms'`)
      const failed = expect(
        flip.query('lock table public.subscriptions in share row exclusive mode'),
      ).rejects.toMatchObject({ code: '55P03' })
      await waitUntilBlocked(admin, pids[0])
      const write = writer.query('update public.subscriptions set user_id = 1 where id = 3000')
      await waitUntilBlocked(admin, pids[1], pids[0])
      await failed
      await flip.query('rollback')
      await write
    }
    await Promise.all([flip.end(), writer.end()])
    expect(await vacuums(), 'it is still there').toBe(1)
  })

  it('is looked for first and named; no lock is asked for, and no one waits', async () => {
    const told: CutoverProgress[] = []
    await expect(
      rehearse(database, Subscription, { tries: 3, pauseMs: 20, onProgress: (one) => void told.push(one) }),
    ).rejects.toMatchObject({ code: 'EW_LOCK_BUSY', message: expect.stringContaining('autovacuum') })
    expect(told).toHaveLength(3)
    for (const one of told) expect(one).toMatchObject({ kind: 'gave_up', afterMs: 0 })
    expect(await vacuums()).toBe(1)
    expect((await cutoverStatus(database, Subscription)).to).toBe('dual_write')
  })

  it('yields to a bound that is longer than deadlock_timeout, where that is asked for', async () => {
    expect(await vacuums()).toBe(1)
    expect(await rehearse(database, Subscription, { lockTimeoutMs: 3_000, tries: 2 })).toMatchObject({
      ok: true,
    })
  })
})
