/**
 * What broke earlier forms of a backfill. Beside each promise stands the naive form, and that it breaks: a test that
 * could not be red proves nothing.
 */
import type pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import type { BackfillJob } from '../../src/backfill/backfill-job.js'
import { backfill } from '../../src/backfill/index.js'
import { openBackfill } from '../../src/backfill/open-backfill.js'
import { planChunks } from '../../src/backfill/plan-chunks.js'
import { runSlice } from '../../src/backfill/run-slice.js'
import { compileSlice } from '../../src/sql/index.js'
import { appendAsCaptured } from '../support/capture.js'
import { testDatabase } from '../support/database.js'
import { until, waitUntilBlocked } from '../support/race.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

describe('a backfill beside others', () => {
  const db = testDatabase()
  let app: pg.Client

  beforeEach(async () => {
    app ??= await db.client()
    await db.admin.query(`
      drop table if exists public.subscriptions;
      drop type if exists public.subscription_status;
      ${createSubscriptions} ${manySubscriptions(1, 20)}`)
    const { rows } = await db.admin.query<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'public.events'::regclass`,
    )
    for (const { name } of rows) await db.admin.query(`drop table ${name}`)
    await db.admin.query(
      'delete from eventward.chunks; delete from eventward.runs; delete from eventward.definitions; delete from eventward.aggregates',
    )
  })

  /** The events of a stream: `v1 Created backfill`. */
  const stream = async (id: string) => {
    const { rows } = await db.admin.query<Record<'v' | 'type' | 'source', string>>(
      `select version as v, type, metadata ->> 'source' as source
       from public.events where aggregate_id = $1 order by version`,
      [id],
    )
    return rows.map(({ v, type, source }) => `v${v} ${type} ${source}`)
  }
  const planned = async (): Promise<BackfillJob> => {
    const job = await openBackfill(db.database, Subscription, { chunkRows: 10 })
    await db.database.session((session) => planChunks(session, job))
    return job
  }
  const sliceOf = (job: BackfillJob) =>
    compileSlice({
      model: job.model,
      key: job.key,
      events: job.events,
      after: null,
      upTo: ['20'],
      limit: 20,
      metadata: '{"source":"backfill"}',
      runStartedAt: job.run.startedAt,
    })

  describe('a row is locked, and its stream looked for, in one statement (A4)', () => {
    const NAIVE = `
      select s.id, s.status
      from public.subscriptions s
      where s.id = 3
        and not exists (select from public.events e where e.aggregate_type = 'Subscription' and e.aggregate_id = '3')
      for no key update`

    it('the naive form breaks: after the wait it has the new row, and still the old absence of its stream', async () => {
      await planned()
      await app.query('begin')
      await app.query(`update public.subscriptions set status = 'inactive' where id = 3`)
      await appendAsCaptured(app, { id: '3', version: 1, type: 'Created' })
      const naive = await db.client()
      const asked = naive.query<{ id: string; status: string }>(NAIVE)
      await waitUntilBlocked(db.admin, pidOf(naive))
      await app.query('commit')
      expect((await asked).rows).toEqual([{ id: '3', status: 'inactive' }])
    })

    it('a row changed while its chunk is backfilled ends with one stream, that of the writer who was first', async () => {
      await planned()
      await app.query('begin')
      await app.query(`update public.subscriptions set status = 'inactive' where id = 3`)
      await appendAsCaptured(app, { id: '3', version: 1, type: 'Created' })
      await appendAsCaptured(app, { id: '3', version: 2, type: 'Deactivated' })
      const running = backfill(db.database, Subscription)
      // It takes all others meanwhile: nothing but this one stream is in its way.
      await until(async () => (await streams()) === 19, { what: 'the other rows to be done' })
      await app.query('commit')
      expect(await running).toMatchObject({
        rows: '20',
        streams: '19',
        alreadyThere: '1',
        complete: true,
        left: [],
      })
      expect(await stream('3')).toEqual(['v1 Created trigger', 'v2 Deactivated trigger'])
    })

    it('and where the backfill was first, its stream is whole, and the writer goes on behind it', async () => {
      const job = await planned()
      await db.database.session((session) =>
        session.transaction({}, async () => {
          await session.one(sliceOf(job))
          // The row itself is not locked.
          await app.query('begin')
          await app.query(`update public.subscriptions set status = 'inactive' where id = 3`)
        }),
      )
      const written = await stream('3')
      expect(written.every((event) => event.endsWith(' backfill'))).toBe(true)
      await appendAsCaptured(app, { id: '3', version: written.length + 1, type: 'Deactivated' })
      await app.query('commit')
      expect(await stream('3')).toEqual([...written, `v${written.length + 1} Deactivated trigger`])
    })
  })

  describe('a stream that another definition wrote already (A5)', () => {
    it('the naive form breaks: with ON CONFLICT on every event the stream is a mixture', async () => {
      await planned()
      await appendAsCaptured(app, { id: '1', version: 1, type: 'Created' })
      await db.admin.query(`
        insert into public.events (aggregate_type, aggregate_id, version, type, data, metadata, occurred_at)
        select 'Subscription', '1', v, type, '{}', '{"source":"backfill"}', now()
        from (values (1, 'Created'), (2, 'Activated')) as naive (v, type)
        on conflict do nothing`)
      expect(await stream('1')).toEqual(['v1 Created trigger', 'v2 Activated backfill'])
    })

    it('is left as it is: the first version decides the whole creation', async () => {
      await planned()
      await appendAsCaptured(app, { id: '1', version: 1, type: 'Created' })
      expect(await backfill(db.database, Subscription)).toMatchObject({
        streams: '19',
        alreadyThere: '1',
        complete: true,
      })
      expect(await stream('1')).toEqual(['v1 Created trigger'])
      expect(await stream('4')).toEqual(['v1 Created backfill', 'v2 Activated backfill'])
    })
  })

  describe('a snapshot older than a rewrite of the table (A8)', () => {
    const rewrite = 'alter table public.subscriptions alter column user_id type numeric'

    it('the naive form breaks: the table looks empty, and the chunk would be done', async () => {
      const job = await planned()
      await db.database.session((session) =>
        session.transaction({ isolation: 'repeatable read' }, async () => {
          await session.one({ text: 'select 1 as snapshot', values: [] })
          await app.query(rewrite)
          expect(await session.one(sliceOf(job))).toMatchObject({ rows: '0', streams: '0', last: null })
        }),
      )
    })

    it('is never taken: a slice waits for the rewrite before it looks, and is not done meanwhile', async () => {
      const job = await planned()
      await app.query('begin')
      await app.query(rewrite)
      const step = await db.database.session((session) => runSlice(session, job, () => 10))
      expect(step).toMatchObject({ kind: 'blocked', error: { details: { sqlstate: '55P03' } } })
      const { rows } = await db.admin.query(`select distinct state, done_to from eventward.chunks`)
      expect(rows).toEqual([{ state: 'todo', done_to: null }])
      const running = backfill(db.database, Subscription)
      await app.query('commit')
      expect(await running).toMatchObject({ rows: '20', streams: '20', complete: true })
    })
  })

  describe('a wait in both directions (B2)', () => {
    const deadlock = async (backfilling: () => Promise<unknown>, limit: string) => {
      await app.query(`set deadlock_timeout = '${limit}'`)
      await app.query('begin')
      await appendAsCaptured(app, { id: '2', version: 1, type: 'Created' })
      const ours = backfilling().catch((error: unknown) => error)
      await until(
        async () => {
          const { rows } = await db.admin.query<{ n: string }>(
            `select count(*) as n from pg_stat_activity
             where $1::integer = any (pg_blocking_pids(pid))`,
            [pidOf(app)],
          )
          return rows[0]?.n === '1'
        },
        { what: 'the backfill to wait for the application' },
      )
      // Row 1 stands before row 2: the backfill has its stream.
      const theirs = await appendAsCaptured(app, { id: '1', version: 1, type: 'Created' }).catch(
        (error: { code: string }) => error.code,
      )
      await app.query(theirs === undefined ? 'commit' : 'rollback')
      return { theirs, ours: await ours }
    }

    it('the naive form breaks: a backfill that waits makes the application the victim of a deadlock', async () => {
      const job = await planned()
      const { theirs } = await deadlock(
        () =>
          db.database.session((session) =>
            session.transaction({}, async () => {
              // Its own check comes later than the application's.
              await session.execute({ text: `set local deadlock_timeout = '20s'`, values: [] })
              await session.one(sliceOf(job))
            }),
          ),
        '200ms',
      )
      expect(theirs).toBe('40P01')
    })

    it('never ends in an error of the application: the slice gives up long before', async () => {
      const job = await planned()
      const { theirs, ours } = await deadlock(
        () => db.database.session((session) => runSlice(session, job, () => 10)),
        // Before our own check (1 s) would end the wait: only that we give up spares the application.
        '600ms',
      )
      expect(theirs).toBeUndefined()
      expect(ours).toMatchObject({ kind: 'failed', why: 'conflict', chunk: { n: '1' } })
      expect(await backfill(db.database, Subscription)).toMatchObject({
        streams: '18',
        alreadyThere: '2',
        complete: true,
      })
    })
  })

  describe('locks on rows (B3)', () => {
    const locked = async (statement: string) => {
      await app.query('begin')
      try {
        return await app.query(statement).then(
          () => 'done',
          (error: { code: string }) => error.code,
        )
      } finally {
        await app.query('rollback')
      }
    }

    it('the naive form breaks: an application that does not wait for a row fails', async () => {
      const job = await planned()
      await db.database.session((session) =>
        session.transaction({}, async () => {
          await session.rows({
            text: 'select from public.subscriptions where id <= 10 for no key update',
            values: [],
          })
          expect(await locked('select from public.subscriptions where id = 3 for update nowait')).toBe(
            '55P03',
          )
          expect(job.run.id).not.toBe('')
        }),
      )
    })

    it('are not taken: in the middle of a slice the application locks, changes and deletes each of its rows', async () => {
      const job = await planned()
      await db.database.session((session) =>
        session.transaction({}, async () => {
          expect(await session.one(sliceOf(job))).toMatchObject({ rows: '20', streams: '20' })
          expect(await locked('select from public.subscriptions for update nowait')).toBe('done')
          expect(await locked('update public.subscriptions set id = id + 100')).toBe('done')
          expect(await locked('delete from public.subscriptions')).toBe('done')
        }),
      )
    })

    it('are not minded: rows that the application holds are backfilled without a wait', async () => {
      await app.query('begin')
      await app.query('select from public.subscriptions for update')
      expect(await backfill(db.database, Subscription)).toMatchObject({ streams: '20', complete: true })
      await app.query('rollback')
    })
  })

  describe('positions (D6)', () => {
    const misordered = async () => {
      const { rows } = await db.admin.query<{ n: string }>(
        `select count(*) as n
         from public.events a join public.events b using (aggregate_type, aggregate_id)
         where a.version < b.version and a.position > b.position`,
      )
      return Number(rows[0]?.n)
    }

    it('the naive form breaks: events that are inserted as they come contradict their versions', async () => {
      await planned()
      await db.admin.query(`
        insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
        select 'Subscription', id::text, 2, 'Activated', '{}'::jsonb, now() from public.subscriptions
        union all
        select 'Subscription', id::text, 1, 'Created', '{}'::jsonb, now() from public.subscriptions`)
      expect(await misordered()).toBe(20)
    })

    it('agree with versions in every stream', async () => {
      await db.admin.query(manySubscriptions(21, 2000))
      await backfill(db.database, Subscription, { workers: 2, chunkRows: 100 })
      expect(await misordered()).toBe(0)
    })
  })

  it('two workers never write a stream twice, nor the same row in two runs', async () => {
    await db.admin.query(manySubscriptions(21, 3000))
    const [one, two] = await Promise.all([
      backfill(db.database, Subscription, { workers: 2, chunkRows: 50 }),
      backfill(db.database, Subscription, { workers: 2, chunkRows: 50 }),
    ])
    expect(one).toMatchObject({ rows: '3000', streams: '3000', alreadyThere: '0', complete: true })
    expect({ ...two, resumed: one?.resumed }).toEqual(one)
    const { rows } = await db.admin.query(
      `select count(*) as events, count(distinct aggregate_id) as streams, count(distinct metadata ->> 'run') as runs
       from public.events`,
    )
    expect(rows).toEqual([{ events: one?.events, streams: '3000', runs: '1' }])
  })

  const streams = async () => {
    const { rows } = await db.admin.query<{ n: string }>(
      'select count(distinct aggregate_id) as n from public.events',
    )
    return Number(rows[0]?.n)
  }
})

/** Known from the start: a client that waits answers no question. */
function pidOf(client: pg.Client): string {
  return String((client as unknown as { processID: number }).processID)
}
