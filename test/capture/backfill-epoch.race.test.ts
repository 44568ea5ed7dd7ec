/** A backfill beside live writes belongs to the capture that it was begun with (D5). */
import type pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { openBackfill } from '../../src/backfill/open-backfill.js'
import { planChunks } from '../../src/backfill/plan-chunks.js'
import { runSlice } from '../../src/backfill/run-slice.js'
import { captureOff, captureOn } from '../../src/capture/index.js'
import { defineAggregate, occurredAt } from '../../src/definition/index.js'
import { settleRun } from '../../src/store/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { interpose } from '../support/interpose.js'
import { gate, until } from '../support/race.js'
import { createSubscriptions, Subscription, subscriptions } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

/** The same, and one event more. */
const More = defineAggregate({
  name: 'Subscription',
  table: subscriptions,
  events: {
    Created: {
      creates: true,
      data: ['user_id', 'reward_id', 'payment_source_key'],
      set: { status: 'unpaid', created_at: occurredAt },
    },
    Activated: { data: ['stripe_key'], set: { status: 'active', activated_at: occurredAt } },
    Deactivated: { set: { status: 'inactive', deactivated_at: occurredAt } },
    Transferred: { data: ['user_id'] },
  },
})

const HALF = { chunkRows: 10, workers: 1 } as const

describe('capture off and on again during a backfill (D5)', () => {
  const db = testDatabase()
  let app: pg.Client

  beforeEach(async () => {
    app ??= await db.client()
    const { rows } = await db.admin.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where tablename like 'events\\_%'`,
    )
    for (const { name } of rows) await db.admin.query(`drop table ${name}`)
    await db.admin.query(`
      drop table if exists public.subscriptions;
      drop type if exists public.subscription_status;
      delete from eventward.captures; delete from eventward.runs; delete from eventward.mismatches;
      delete from eventward.definitions; delete from eventward.aggregates;
      ${createSubscriptions} ${manySubscriptions(1, 20)}`)
    await captureOn(db.database, Subscription)
  })

  const offInsertOn = async () => {
    await captureOff(db.database, Subscription, { tries: 50 })
    await app.query(manySubscriptions(21, 21))
    await captureOn(db.database, Subscription)
  }

  const stateOf = async (run: string) => {
    const { rows } = await db.admin.query(
      "select state, params ->> 'capture' as capture, outcome from eventward.runs where id = $1",
      [run],
    )
    return rows[0]
  }

  it('the naive form breaks: a chunk that asks only whether capture is on reports rows as done that were written past it', async () => {
    const job = await openBackfill(db.database, Subscription, HALF)
    await db.database.session((session) => planChunks(session, job))
    // As if no slice asked which capture it is.
    const naive = { ...job, capture: null }
    const slice = () => db.database.session((session) => runSlice(session, naive, () => 10))
    expect(await slice()).toMatchObject({ kind: 'taken' })
    await offInsertOn()
    expect(await slice()).toMatchObject({ kind: 'taken' })
    expect(await slice()).toMatchObject({ kind: 'nothing' })
    expect(await db.database.session((session) => settleRun(session, job.run.id, {}))).toBe('complete')
    const { differences } = await verify(db.database, Subscription)
    expect(differences).toMatchObject([{ key: '21', kind: 'missing_stream' }])
  })

  it('ends the run at its next slice; run again, it is another run, and no row is without its events', async () => {
    const job = await openBackfill(db.database, Subscription, HALF)
    await db.database.session((session) => planChunks(session, job))
    const slice = () => db.database.session((session) => runSlice(session, job, () => 10))
    expect(await slice()).toMatchObject({ kind: 'taken' })
    await offInsertOn()
    await expect(slice()).rejects.toMatchObject({ code: 'EW_CAPTURE_EPOCH', exitStatus: 1 })
    const again = await backfill(db.database, Subscription, HALF)
    expect(again).toMatchObject({ complete: true, resumed: false, capture: 'on', rows: '21', streams: '11' })
    expect(await stateOf(job.run.id)).toMatchObject({ state: 'failed', capture: '1' })
    expect(await stateOf(again.run ?? '')).toMatchObject({ state: 'complete', capture: '3' })
    expect((await verify(db.database, Subscription)).table).toMatchObject({ clean: true, proof: true })
  })

  it('in the middle of a whole backfill ends it, and says what to do', async () => {
    const between = gate()
    let slices = 0
    const slow = interpose(db.database, async (text) => {
      // Each slice moves its chunk on at last.
      if (!text.includes('update eventward.chunks')) return
      slices += 1
    })
    let stopped = false
    const gated = interpose(slow, async (text) => {
      if (stopped || slices < 1 || !text.includes('for update of c skip locked')) return
      stopped = true
      await between.pass()
    })
    const running = backfill(gated, Subscription, HALF).catch((error: unknown) => error)
    await between.entered
    // The worker is in its transaction, and holds the definition: capture off waits it out, or it is thrown out.
    const moved = offInsertOn()
    await until(async () => {
      const { rows } = await db.admin.query<{ n: string }>(
        `select count(*) as n from pg_locks where locktype = 'advisory' and not granted`,
      )
      return Number(rows[0]?.n) > 0
    })
    between.open()
    await moved
    expect(await running).toMatchObject({
      code: 'EW_CAPTURE_EPOCH',
      next: expect.stringContaining('eventward backfill subscriptions'),
    })
    expect(await backfill(db.database, Subscription)).toMatchObject({ complete: true, capture: 'on' })
    expect((await verify(db.database, Subscription)).table).toMatchObject({ clean: true, proof: true })
  })

  it('the lock: SHARE ROW EXCLUSIVE passes a slice at work, ACCESS EXCLUSIVE waits for it', async () => {
    const job = await openBackfill(db.database, Subscription, HALF)
    await db.database.session((session) => planChunks(session, job))
    const atWork = gate()
    const gated = interpose(db.database, async (text) => {
      if (text.includes('insert into') && text.includes('on conflict')) await atWork.pass()
    })
    const slice = gated.session((session) => runSlice(session, job, () => 10))
    await atWork.entered
    const tryLock = (mode: string) =>
      db.admin
        .query(`begin; lock table public.subscriptions in ${mode} mode nowait`)
        .then(
          () => 'granted',
          (error: { code: string }) => error.code,
        )
        .finally(() => db.admin.query('rollback'))
    expect(await tryLock('share row exclusive')).toBe('granted')
    expect(await tryLock('access exclusive')).toBe('55P03')
    const off = captureOff(db.database, Subscription, { tries: 50 })
    await until(async () => {
      const { rows } = await db.admin.query<{ n: string }>(
        `select count(*) as n from pg_locks where not granted`,
      )
      return Number(rows[0]?.n) > 0
    })
    atWork.open()
    expect(await slice).toMatchObject({ kind: 'taken' })
    expect(await off).toMatchObject({ change: 'removed' })
    await expect(db.database.session((session) => runSlice(session, job, () => 10))).rejects.toMatchObject({
      code: 'EW_CAPTURE_EPOCH',
    })
  })

  it('after its last slice, before its end, lets no one call it complete beside that capture', async () => {
    const last = gate()
    let met = 0
    const gated = interpose(db.database, async (text) => {
      // The count at the end, once all chunks are done.
      if (!text.includes('bool_and(r.upper_key is null')) return
      met += 1
      if (met === 3) await last.pass()
    })
    const running = backfill(gated, Subscription, { workers: 1 }).catch((error: unknown) => error)
    await last.entered
    await offInsertOn()
    last.open()
    expect(await running).toMatchObject({ code: 'EW_CAPTURE_EPOCH' })
  })

  it.each([
    ['that was begun beside no capture', 'off', 'on'],
    ['that was begun beside a capture which is off now', 'on', 'off'],
  ] as const)('a stopped run %s is not gone on with', async (_, begun, now) => {
    const turn = (to: 'on' | 'off') => (to === 'on' ? captureOn : captureOff)(db.database, Subscription)
    await turn(begun)
    const job = await openBackfill(db.database, Subscription, HALF)
    await db.database.session((session) => planChunks(session, job))
    await db.database.session((session) => runSlice(session, job, () => 10))
    await turn(now)
    const next = await backfill(db.database, Subscription)
    expect(next).toMatchObject({ resumed: false, complete: true, capture: now, rows: '20', streams: '10' })
    expect(next.run).not.toBe(job.run.id)
    expect(await stateOf(job.run.id)).toMatchObject({
      state: 'failed',
      outcome: expect.stringContaining('capture'),
    })
  })

  it('a stopped run under the definition that was captured before is left for one under the new', async () => {
    const job = await openBackfill(db.database, Subscription, HALF)
    await db.database.session((session) => planChunks(session, job))
    await db.database.session((session) => runSlice(session, job, () => 10))
    await expect(backfill(db.database, More)).rejects.toMatchObject({ code: 'EW_CAPTURE_DEFINITION' })
    expect(await captureOn(db.database, More)).toMatchObject({ change: 'replaced', epoch: '1' })
    expect(await backfill(db.database, More)).toMatchObject({ resumed: false, complete: true, streams: '10' })
    expect(await stateOf(job.run.id)).toMatchObject({
      state: 'failed',
      outcome: expect.stringContaining('definition'),
    })
    expect((await verify(db.database, More)).table).toMatchObject({ clean: true, proof: true })
  })

  it('a stopped run beside the same capture is gone on with', async () => {
    const job = await openBackfill(db.database, Subscription, HALF)
    await db.database.session((session) => planChunks(session, job))
    await db.database.session((session) => runSlice(session, job, () => 10))
    await captureOn(db.database, Subscription)
    expect(await backfill(db.database, Subscription)).toMatchObject({
      resumed: true,
      run: job.run.id,
      complete: true,
      capture: 'on',
    })
  })
})
