/** A short lock on a table of the application: who is in the way is named, and no writer queues behind us in vain. */
import type pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Session } from '../../src/db/index.js'
import { type LockProgress, lockBlockers, type TableLock, withTableLock } from '../../src/store/index.js'
import { testDatabase } from '../support/database.js'
import { backendPid, gate, until, waitUntilBlocked } from '../support/race.js'

const TABLE = { schema: 'public', table: 'parts', mode: 'share row exclusive' } as const

describe('a short lock', () => {
  const db = testDatabase()

  beforeEach(async () => {
    await db.admin.query(`
      drop table if exists public.parts;
      create table public.parts (id integer primary key) partition by range (id);
      create table public.parts_low partition of public.parts for values from (0) to (100);
      create table public.parts_high partition of public.parts for values from (100) to (100000);
      insert into public.parts values (1), (101)`)
  })

  const locked = <T>(lock: Partial<TableLock>, work: () => Promise<T>) =>
    db.database.session((session) => withTableLock(session, { ...TABLE, ...lock }, work))

  /** A transaction that holds a row of one partition. */
  async function writer(name: string): Promise<{ client: pg.Client; pid: string }> {
    const client = await db.client()
    await client.query(`set application_name = '${name}'`)
    await client.query('begin; update public.parts_high set id = id where id = 101')
    return { client, pid: await backendPid(client) }
  }

  it('gives its result, and what it cost', async () => {
    const done = await locked({}, async () => 'done')
    expect(done).toMatchObject({ result: 'done', attempts: 1 })
    expect(done.waitedMs).toBeLessThan(400)
    expect(done.lockedMs).toBeLessThan(2_000)
  })

  it('behind a writer of one partition gives up within its bound, names it, and comes again', async () => {
    const { client, pid } = await writer('web')
    const told: LockProgress[] = []
    const done = await locked(
      {
        lockTimeoutMs: 80,
        onProgress: (progress) => {
          told.push(progress)
          if (told.length === 2) void client.query('commit')
        },
        tries: 50,
      },
      async () => 'done',
    )
    expect(done.attempts).toBeGreaterThan(2)
    expect(told[0]).toMatchObject({ table: 'parts', attempt: 1, nextInMs: expect.any(Number) })
    for (const { why } of told.slice(0, 2)) expect(why).toContain(`pid ${pid} (web`)
    expect(done.waitedMs).toBeLessThan(1_000)
  })

  it('asks for nothing behind a transaction that is older than it would wait: others write on at once', async () => {
    const { client, pid } = await writer('report')
    const seen = gate()
    const told: LockProgress[] = []
    await until(async () => {
      const { rows: now } = await db.admin.query<{ old: string }>(
        `select clock_timestamp() - xact_start > interval '60 ms' as old from pg_stat_activity where pid = $1`,
        [pid],
      )
      return now[0]?.old === 't'
    })
    const done = locked(
      {
        lockTimeoutMs: 50,
        tries: 20,
        onProgress: (progress) => {
          told.push(progress)
          if (told.length === 2) void seen.pass()
        },
      },
      async () => 'done',
    )
    await seen.entered
    // It waits without a lock asked for: nothing of ours is in pg_locks, and a writer is not kept.
    const { rows: asking } = await db.admin.query(
      `select from pg_locks where relation = 'public.parts'::regclass and mode = 'ShareRowExclusiveLock'`,
    )
    expect(asking).toEqual([])
    await db.admin.query('update public.parts_low set id = id where id = 1')
    expect(told[0]).toMatchObject({ waitedMs: 0 })
    expect(told[0]?.why).toMatch(new RegExp(`pid ${pid} \\(report, in a transaction for`))
    await client.query('commit')
    expect((await done).result).toBe('done')
  })

  it('that is never to be had ends with the pid, application and age of whoever holds it, and ends no one', async () => {
    const { client, pid } = await writer('batch')
    const failed = await locked({ lockTimeoutMs: 50, tries: 3 }, async () => 'done').catch(
      (error: unknown) => error,
    )
    expect(failed).toMatchObject({
      code: 'EW_LOCK_BUSY',
      exitStatus: 3,
      message: expect.stringMatching(new RegExp(`pid ${pid} \\(batch, in a transaction for [0-9.]+ s\\)`)),
      details: { table: 'parts', attempts: 3, blockers: [{ pid }] },
    })
    await client.query('commit')
  })

  it('of readers’ kind is held off by readers, of writers’ kind is not', async () => {
    const reader = await db.client()
    await reader.query('begin; select from public.parts')
    expect((await locked({}, async () => 'done')).attempts).toBe(1)
    await expect(
      locked({ mode: 'access exclusive', lockTimeoutMs: 50, tries: 2 }, async () => 'done'),
    ).rejects.toMatchObject({ code: 'EW_LOCK_BUSY' })
    await reader.query('rollback')
  })

  it('is told who holds a lock that conflicts, and of no one else', async () => {
    const { client, pid } = await writer('web')
    const blockers = await db.database.session((session) => lockBlockers(session, TABLE))
    expect(blockers).toMatchObject([{ pid, autovacuum: false, vacuum: false }])
    await client.query('rollback')
    expect(await db.database.session((session) => lockBlockers(session, TABLE))).toEqual([])
  })

  it('has no one to wait for in a SERIALIZABLE reader: what it notes of its reading conflicts with no lock', async () => {
    const reader = await db.client()
    await reader.query('begin isolation level serializable; select from public.parts; commit')
    await reader.query('begin isolation level serializable; select from public.parts')
    expect(await db.database.session((session) => lockBlockers(session, TABLE))).toEqual([])
    await reader.query('rollback')
  })

  it('of work that takes too long is given back, and the work done again', async () => {
    let tries = 0
    const done = await db.database.session((session) =>
      withTableLock(session, { ...TABLE, holdTimeoutMs: 100 }, async (_, leftMs) => {
        tries += 1
        expect(leftMs()).toBeLessThanOrEqual(100)
        if (tries === 1) await session.execute({ text: 'select pg_catalog.pg_sleep(10)', values: [] })
        return tries
      }),
    )
    expect(done).toMatchObject({ result: 2, attempts: 2 })
  })

  it('is let go by the server where the process hangs in the middle', async () => {
    const hung = gate()
    const hanging = db.database
      .session((session) =>
        withTableLock(session, { ...TABLE, holdTimeoutMs: 100, tries: 1 }, async () => {
          await hung.pass()
          await session.execute({ text: 'select 1', values: [] })
        }),
      )
      .catch((error: unknown) => error)
    await hung.entered
    await db.admin.query('update public.parts_low set id = id where id = 1')
    hung.open()
    expect(await hanging).toMatchObject({ code: 'EW_DB_LOST' })
  })

  it('is let go by the server where the process hangs the moment the lock is granted', async () => {
    const hung = gate()
    const hanging = db.database
      .session((session) => {
        const paused: Session = {
          ...boundMethods(session),
          execute: async (query) => {
            const count = await session.execute(query)
            if (query.text.startsWith('lock table')) await hung.pass()
            return count
          },
        }
        return withTableLock(paused, { ...TABLE, holdTimeoutMs: 100, tries: 1 }, async () => 'done')
      })
      .catch((error: unknown) => error)
    await hung.entered
    await db.admin.query('update public.parts_low set id = id where id = 1')
    hung.open()
    expect(await hanging).toMatchObject({ code: 'EW_DB_LOST' })
  })

  it('stops between two tries when it is told to', async () => {
    const { client } = await writer('web')
    const stop = new AbortController()
    await expect(
      locked(
        { lockTimeoutMs: 30, tries: 1_000, signal: stop.signal, onProgress: () => stop.abort() },
        async () => 'done',
      ),
    ).rejects.toMatchObject({ code: 'EW_STOPPED', exitStatus: 130 })
    await client.query('rollback')
  })

  it('undoes what was done before it was asked for, where it is not to be had', async () => {
    const { client } = await writer('web')
    await expect(
      db.database.session((session) =>
        withTableLock(
          session,
          {
            ...TABLE,
            lockTimeoutMs: 30,
            tries: 1,
            before: async () => {
              await session.execute({ text: 'create table public.made_before ()', values: [] })
            },
          },
          async () => 'done',
        ),
      ),
    ).rejects.toMatchObject({ code: 'EW_LOCK_BUSY' })
    await client.query('rollback')
    const { rows } = await db.admin.query(`select to_regclass('public.made_before') as made`)
    expect(rows).toEqual([{ made: null }])
  })

  describe('a VACUUM that someone runs (B5)', () => {
    /** Slow: it sleeps after each page. */
    async function vacuuming(): Promise<{ client: pg.Client; pid: string; ended: Promise<unknown> }> {
      await db.admin.query(`insert into public.parts select i from generate_series(200, 20000) i;
        update public.parts set id = id`)
      const client = await db.client()
      const pid = await backendPid(client)
      await client.query(`set vacuum_cost_delay = 100; set vacuum_cost_limit = 1`)
      const ended = client
        .query('vacuum (disable_page_skipping, index_cleanup on) public.parts_high')
        .catch(() => undefined)
      await until(async () => {
        const { rows } = await db.admin.query<{ n: string }>(
          'select count(*) as n from pg_stat_progress_vacuum where pid = $1',
          [pid],
        )
        return rows[0]?.n === '1'
      })
      return { client, pid, ended }
    }

    it('the naive form breaks: a short lock_timeout keeps a writer waiting for nothing', async () => {
      const { pid, ended } = await vacuuming()
      const naive = await db.client()
      const write = await db.client()
      const pids = [await backendPid(naive), await backendPid(write)] as const
      await naive.query(`begin; set local lock_timeout = '300ms'`)
      const failed = expect(
        naive.query('lock table public.parts in share row exclusive mode'),
      ).rejects.toMatchObject({ code: '55P03' })
      await waitUntilBlocked(db.admin, pids[0], pid)
      const written = write.query('update public.parts_high set id = id where id = 101')
      await waitUntilBlocked(db.admin, pids[1], pids[0])
      await failed
      await naive.query('rollback')
      await written
      await db.admin.query('select pg_cancel_backend($1)', [pid])
      await ended
    })

    it('is named, and no lock is asked for however often', async () => {
      const { pid, ended } = await vacuuming()
      const told: LockProgress[] = []
      const failed = await locked(
        { lockTimeoutMs: 50, tries: 4, onProgress: (one) => told.push(one) },
        async () => 'done',
      ).catch((error: unknown) => error)
      expect(failed).toMatchObject({ code: 'EW_LOCK_BUSY', message: expect.stringContaining(`pid ${pid}`) })
      expect(told.map(({ waitedMs }) => waitedMs)).toEqual([0, 0, 0, 0])
      expect(told[0]?.why).toContain('vacuuming')
      await db.admin.query('select pg_cancel_backend($1)', [pid])
      await ended
    })
  })
})

/** A class's methods live on its prototype: a copy by spreading has none of them. */
function boundMethods(session: Session): Session {
  return {
    rows: (query) => session.rows(query),
    one: (query) => session.one(query),
    execute: (query) => session.execute(query),
    transaction: (options, work) => session.transaction(options, work),
    copyTo: (text) => session.copyTo(text),
  }
}
