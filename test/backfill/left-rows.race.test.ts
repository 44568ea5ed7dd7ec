import type pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { type BackfillProgress, backfill } from '../../src/backfill/index.js'
import { openBackfill } from '../../src/backfill/open-backfill.js'
import { planChunks } from '../../src/backfill/plan-chunks.js'
import { runSlice } from '../../src/backfill/run-slice.js'
import { appendAsCaptured } from '../support/capture.js'
import { testDatabase } from '../support/database.js'
import { until } from '../support/race.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

describe('rows that can not be taken, and rows that come and go', () => {
  const db = testDatabase()
  let app: pg.Client

  beforeEach(async () => {
    app ??= await db.client()
    await db.admin.query(`
      drop table if exists public.subscriptions;
      drop type if exists public.subscription_status;
      drop table if exists public.events_subscription;
      delete from eventward.runs;
      delete from eventward.definitions;
      delete from eventward.aggregates;
      ${createSubscriptions} ${manySubscriptions(1, 200)}`)
  })

  const ids = async () => {
    const { rows } = await db.admin.query<{ id: string }>(
      'select aggregate_id as id from public.events where version = 1 order by aggregate_id::bigint',
    )
    return rows.map(({ id }) => id)
  }
  /** Rows whose value no event can hold: 54000 is what jsonb raises beyond its limits. */
  const poison = async (...poisoned: readonly string[]) => {
    await openBackfill(db.database, Subscription, {})
    await db.admin.query(`
      create or replace function public.poison() returns trigger language plpgsql as $$
      begin
        raise exception 'string too long to represent as jsonb string' using errcode = '54000';
      end $$;
      create trigger poison before insert on public.events_subscription
      for each row when (new.aggregate_id in (${poisoned.map((id) => `'${id}'`).join(', ')})) execute function public.poison()`)
  }

  it('a value that can not be stored is named, all other rows are done, and the table is not complete', async () => {
    await poison('77', '150')
    const result = await backfill(db.database, Subscription, { chunkRows: 100 })
    expect(result).toMatchObject({ rows: '198', streams: '198', complete: false })
    const error = { sqlstate: '54000', message: expect.stringContaining('string too long') }
    expect(result.left).toEqual(
      expect.arrayContaining([
        { key: '77', error },
        { key: '150', error },
      ]),
    )
    expect(result.left).toHaveLength(2)
    const { rows } = await db.admin.query(
      'select state, finished_at is not null as ended from eventward.runs',
    )
    expect(rows).toEqual([{ state: 'stopped', ended: 't' }])

    await db.admin.query('drop trigger poison on public.events_subscription')
    const again = await backfill(db.database, Subscription, { chunkRows: 100 })
    expect(again).toMatchObject({ run: result.run, rows: '200', streams: '200', complete: true, left: [] })
  })

  it('a row that someone holds for long is tried some times, named, and taken by the next run', async () => {
    await openBackfill(db.database, Subscription, {})
    await app.query('begin')
    await appendAsCaptured(app, { id: '50', version: 1, type: 'Created' })
    const result = await backfill(db.database, Subscription, { chunkRows: 100 })
    expect(result).toMatchObject({ rows: '199', streams: '199', complete: false })
    expect(result.left).toEqual([{ key: '50', error: { sqlstate: '55P03', message: expect.any(String) } }])
    const { rows } = await db.admin.query(
      `select kind, attempts, rows from eventward.chunks where state = 'todo'`,
    )
    expect(rows).toEqual([{ kind: 'row', attempts: '5', rows: '0' }])

    await app.query('rollback')
    const again = await backfill(db.database, Subscription, { chunkRows: 100 })
    expect(again).toMatchObject({ rows: '200', streams: '200', complete: true, left: [] })
  })

  it('a row deleted before its slice has no stream, one inserted before it has, one beyond the end is not chased', async () => {
    const job = await openBackfill(db.database, Subscription, { chunkRows: 100 })
    await db.database.session((session) => planChunks(session, job))
    const step = await db.database.session((session) => runSlice(session, job, () => 100))
    expect(step).toMatchObject({ kind: 'taken', rows: 100 })
    await app.query('delete from public.subscriptions where id in (10, 120)')
    await app.query('update public.subscriptions set id = 15000 where id = 130')
    await app.query(
      'insert into public.subscriptions select 130, user_id, reward_id, null, status, null, created_at from public.subscriptions where id = 1',
    )
    await app.query(manySubscriptions(201, 210))
    const result = await backfill(db.database, Subscription, { chunkRows: 100 })
    expect(result).toMatchObject({ rows: '199', streams: '199', complete: true, resumed: true })
    const expected = Array.from({ length: 200 }, (_, index) => String(index + 1)).filter((id) => id !== '120')
    expect(await ids()).toEqual(expected)
  })

  it('stops after the slices at work when it is told to, and goes on from there', async () => {
    const stop = new AbortController()
    const seen: BackfillProgress[] = []
    const running = backfill(db.database, Subscription, {
      chunkRows: 10,
      maxRate: 100,
      signal: stop.signal,
      onProgress: (progress) => {
        seen.push(progress)
        stop.abort()
      },
    })
    await expect(running).rejects.toMatchObject({
      code: 'EW_STOPPED',
      exitStatus: 130,
      next: 'Run `eventward backfill subscriptions` again: it goes on from there.',
    })
    const done = Number((await ids()).length)
    expect(done).toBeGreaterThan(0)
    expect(done).toBeLessThan(200)
    expect(seen[0]).toMatchObject({
      table: 'subscriptions',
      rows: expect.any(String),
      workers: 2,
      estimate: true,
    })
    const result = await backfill(db.database, Subscription, {})
    expect(result).toMatchObject({ rows: '200', streams: '200', complete: true, resumed: true })
  })

  it('a server that ends its sessions in the middle is an error of exit status 3, and the next run goes on', async () => {
    const running = backfill(db.database, Subscription, { chunkRows: 10, maxRate: 50 })
    const failed = running.catch((error: unknown) => error)
    await until(async () => (await ids()).length > 0, { what: 'the first slice' })
    // Those of the pool: asked again, since a session may be idle in the pool and be replaced.
    await until(
      async () => {
        await db.admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and application_name = 'eventward'`,
        )
        const outcome = await Promise.race([failed, Promise.resolve('running')])
        return outcome !== 'running'
      },
      { what: 'the backfill to end' },
    )
    expect(await failed).toMatchObject({ exitStatus: 3, code: expect.stringMatching(/^EW_DB_/) })
    const result = await backfill(db.database, Subscription, {})
    expect(result).toMatchObject({ rows: '200', streams: '200', complete: true, resumed: true })
  })
})
