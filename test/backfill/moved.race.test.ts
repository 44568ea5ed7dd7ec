/** What others do to a table, and to a run, between two steps of a backfill. */
import type pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import type { BackfillJob } from '../../src/backfill/backfill-job.js'
import { backfill } from '../../src/backfill/index.js'
import { openBackfill } from '../../src/backfill/open-backfill.js'
import { planChunks } from '../../src/backfill/plan-chunks.js'
import { reportProgress } from '../../src/backfill/report-progress.js'
import { runSlice } from '../../src/backfill/run-slice.js'
import { newTeam, work } from '../../src/backfill/worker.js'
import { defineAggregate, defineTable, type Integer } from '../../src/definition/index.js'
import { testDatabase } from '../support/database.js'
import { interpose, Killed } from '../support/interpose.js'
import { gate, until } from '../support/race.js'

const things = defineTable<{ k: Integer; v: Integer | null }>()({
  schema: 'public',
  name: 'things',
  key: ['k'],
  columns: { k: { type: 'integer', nullable: false }, v: { type: 'integer', nullable: true } },
})
const others = { ...things, name: 'others' } as unknown as typeof things
const Thing = defineAggregate({
  name: 'Thing',
  table: things,
  events: { Made: { creates: true, data: ['v'] } },
})
const Better = defineAggregate({
  name: 'Thing',
  table: things,
  events: { Made: { creates: true, data: { value: 'v' } } },
})
const SecondName = defineAggregate({
  name: 'Gadget',
  table: things,
  events: { Made: { creates: true, data: ['v'] } },
})
const Other = defineAggregate({
  name: 'Other',
  table: others,
  events: { Made: { creates: true, data: ['v'] } },
})

const RESTART = { restart: true, confirm: 'things' }

describe('a backfill', () => {
  const db = testDatabase()
  let app: pg.Client

  beforeEach(async () => {
    app ??= await db.client()
    const { rows } = await db.admin.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where tablename like 'events\\_%'`,
    )
    for (const { name } of rows) await db.admin.query(`drop table ${name}`)
    await db.admin.query(`
      drop table if exists public.things, public.others;
      delete from eventward.runs;
      delete from eventward.definitions;
      delete from eventward.aggregates;
      create table public.things (k integer primary key, v integer);
      insert into public.things select i, i from generate_series(1, 1000) i`)
  })

  const slice = (job: BackfillJob) =>
    db.database.session((session) => runSlice(session, job, () => job.chunkRows))
  const plan = (job: BackfillJob) => db.database.session((session) => planChunks(session, job))
  const begun = async (chunkRows = 100, slices = 2) => {
    const job = await openBackfill(db.database, Thing, { chunkRows })
    await plan(job)
    for (let time = 0; time < slices; time += 1) expect(await slice(job)).toMatchObject({ kind: 'taken' })
    return job
  }
  const streams = async (type = 'Thing') => {
    const { rows } = await db.admin.query<{ n: string }>(
      'select count(distinct aggregate_id) as n from public.events where aggregate_type = $1',
      [type],
    )
    return Number(rows[0]?.n)
  }
  const runs = async () => {
    const { rows } = await db.admin.query<{ run: string }>(
      `select command || ' ' || state as run from eventward.runs order by id`,
    )
    return rows.map(({ run }) => run)
  }
  const killedBefore = (pattern: RegExp) =>
    interpose(db.database, (text) => {
      if (pattern.test(text)) throw new Killed()
      return undefined
    })

  describe('over a table that DDL changes', () => {
    it.each([
      `alter table public.things alter v type text using '00' || v`,
      `alter table public.things add extra text not null default 'x'`,
    ])('stops before it writes what it did not bind (%s), and goes on when run again', async (ddl) => {
      const job = await begun()
      await app.query(ddl)
      await expect(slice(job)).rejects.toMatchObject({ code: 'EW_TABLE_MOVED', exitStatus: 1 })
      await expect(plan(job)).rejects.toMatchObject({ code: 'EW_TABLE_MOVED' })
      expect(await streams()).toBe(200)
      expect(await backfill(db.database, Thing)).toMatchObject({
        run: job.run.id,
        rows: '1000',
        complete: true,
      })
      const { rows } = await db.admin.query(`
        select count(*) as wrong from public.things t join public.events e on e.aggregate_id = t.k::text
        where t.k > 200 and e.data ->> 'v' <> t.v::text`)
      expect(rows).toEqual([{ wrong: '0' }])
    })

    it('a rewrite that changes nothing does not stop it', async () => {
      const job = await begun()
      await app.query('vacuum full public.things')
      expect(await slice(job)).toMatchObject({ kind: 'taken', rows: 100 })
    })

    it('whose key sorts otherwise afterwards begins anew, and leaves no row out', async () => {
      const job = await begun()
      await app.query('alter table public.things alter k type text using k::text')
      const result = await backfill(db.database, Thing, { chunkRows: 100 })
      expect(result).toMatchObject({ rows: '1000', streams: '800', alreadyThere: '200', complete: true })
      expect(await streams()).toBe(1000)
      expect(result.run).not.toBe(job.run.id)
      const { rows } = await db.admin.query('select state, outcome from eventward.runs where id = $1', [
        job.run.id,
      ])
      expect(rows[0]).toMatchObject({ state: 'failed', outcome: expect.stringContaining('order') })
      expect(result.resumed).toBe(false)
    })
  })

  describe('whose run was ended by another', () => {
    it('plans it no more, and does not bring it back to life', async () => {
      const job = await begun(10)
      const look = () =>
        db.admin.query(
          `select r.state, r.planned_to = r.upper_key as planned, count(*) as chunks
           from eventward.runs r join eventward.chunks on run_id = id group by 1, 2`,
        )
      await db.admin.query(`update eventward.runs set state = 'failed', outcome = '{"superseded": true}'`)
      const { rows: before } = await look()
      expect(before).toMatchObject([{ state: 'failed', planned: 'f' }])
      expect(await plan(job)).toBe(false)
      expect((await look()).rows).toEqual(before)
    })

    it('that was stopped only is planned on: one process of two was told to stop', async () => {
      const job = await begun(10)
      await db.admin.query(`update eventward.runs set state = 'stopped'`)
      // How many chunks a batch holds hangs on how fast the server is.
      await until(async () => {
        expect(await plan(job)).toBe(true)
        const { rows } = await db.admin.query('select planned_to = upper_key as planned from eventward.runs')
        return rows[0]?.planned === 't'
      })
    })
  })

  describe('beside a --restart that was killed before it detached', () => {
    const halfRestarted = () =>
      expect(backfill(killedBefore(/detach partition/), Better, RESTART)).rejects.toBeInstanceOf(Killed)

    it('writes nothing when it had passed its first checks', async () => {
      await backfill(db.database, Thing)
      const { entered, pass, open } = gate()
      let stood = false
      const late = interpose(db.database, (text) => {
        if (stood || !/pg_advisory_xact_lock\(/.test(text)) return undefined
        stood = true
        return pass()
      })
      const running = backfill(late, Thing).catch((error: unknown) => error)
      await entered
      await halfRestarted()
      open()
      expect(await running).toMatchObject({ code: 'EW_RESTART_PENDING' })
      expect(await backfill(db.database, Better, RESTART)).toMatchObject({ streams: '1000', complete: true })
    })

    it('writes nothing when its run had begun', async () => {
      const job = await begun()
      await halfRestarted()
      await expect(slice(job)).rejects.toMatchObject({ code: 'EW_RESTART_PENDING' })
      await expect(plan(job)).rejects.toMatchObject({ code: 'EW_RESTART_PENDING' })
      expect(await backfill(db.database, Better, RESTART)).toMatchObject({ streams: '1000', complete: true })
      expect(await streams()).toBe(1000)
    })

    it('is superseded by the end of that restart too, whenever its run was opened', async () => {
      await backfill(db.database, Thing)
      await halfRestarted()
      await db.admin.query(`
        insert into eventward.runs (command, table_schema, table_name, aggregate_type, state, definition_hash)
        values ('backfill', 'public', 'things', 'Thing', 'stopped', 'of before')`)
      expect(await backfill(db.database, Better, RESTART)).toMatchObject({ streams: '1000', complete: true })
      expect(await runs()).toEqual([
        'backfill complete',
        'backfill --restart complete',
        'backfill failed',
        'backfill complete',
      ])
    })
  })

  it('under a second name at once is refused: each row would have two streams', async () => {
    const { entered, pass, open } = gate()
    const late = interpose(db.database, (text) => (/create_partition/.test(text) ? pass() : undefined))
    const running = backfill(late, SecondName).catch((error: unknown) => error)
    await entered
    expect(await backfill(db.database, Thing)).toMatchObject({ complete: true })
    open()
    expect(await running).toMatchObject({ code: 'EW_DEFINITION_RENAMED' })
    expect([await streams('Thing'), await streams('Gadget')]).toEqual([1000, 0])
  })

  it('--restart beside that of another table names it, and how to end it', async () => {
    await db.admin.query(`create table public.others (k integer primary key, v integer);
      insert into public.others values (1, 1)`)
    await backfill(db.database, Thing)
    await backfill(db.database, Other)
    // An older transaction on the events table keeps DETACH CONCURRENTLY waiting after its first half.
    await app.query('begin')
    await app.query('select from public.events limit 1')
    const first = backfill(db.database, Better, RESTART).catch((error: unknown) => error)
    await until(
      async () => (await db.admin.query('select from pg_inherits where inhdetachpending')).rows.length === 1,
      { what: 'the first half of the detaching' },
    )
    const second = { restart: true, confirm: 'others' }
    const refused = await backfill(db.database, Other, second).catch((error: unknown) => error)
    await app.query('commit')
    expect(refused).toMatchObject({
      code: 'EW_RESTART_OTHER',
      exitStatus: 2,
      message: expect.stringContaining('public.events_thing (events of things)'),
      next: expect.stringContaining('eventward backfill things --restart --confirm things'),
    })
    expect(await first).toMatchObject({ complete: true })
    expect(await backfill(db.database, Other, second)).toMatchObject({ streams: '1', complete: true })
  })

  it('with a key that no index can walk says so, and does not try for ever', async () => {
    await db.admin.query('insert into public.things select i, i from generate_series(1001, 300000) i')
    const job = await openBackfill(db.database, Thing, { patienceMs: 1500 })
    // Such an index is refused when it's bound; it may take the other one's place later.
    await db.admin.query(`
      alter table public.things drop constraint things_pkey;
      create unique index on public.things (k nulls first)`)
    // A third of what an ordinary server gives, so that a small table will do.
    const hurried = { ...job, limits: { ...job.limits, statementMs: 40 } }
    const running = work(hurried, newTeam(hurried, reportProgress(hurried)), AbortSignal.timeout(20_000))
    await expect(running).rejects.toMatchObject({
      code: 'EW_KEY_WALK',
      message: expect.stringContaining('no index can walk the key (k)'),
    })
  }, 30_000)

  it('does not wait for ever for another process of eventward, and names it', async () => {
    await app.query('begin')
    await app.query(`select pg_advisory_xact_lock(x'45576466'::integer, hashtext('Thing'))`)
    const pid = String((app as unknown as { processID: number }).processID)
    const refused = await backfill(db.database, Thing).catch((error: unknown) => error)
    await app.query('rollback')
    expect(refused).toMatchObject({
      code: 'EW_BUSY',
      exitStatus: 3,
      message: expect.stringMatching(`public\\.things: .*pid ${pid} `),
    })
    expect(await backfill(db.database, Thing)).toMatchObject({ complete: true })
  }, 30_000)

  it('suspended in the middle of a slice is thrown out, and takes the slice again', async () => {
    const job = await begun(100, 0)
    const { entered, pass, open } = gate()
    let stood = false
    const slow = interpose(db.database, (text) => {
      if (stood || !/update eventward\.chunks/.test(text)) return undefined
      stood = true
      return pass()
    })
    const running = slow.session((session) => runSlice(session, job, () => 100))
    await entered
    const began = performance.now()
    await until(
      async () => {
        const { rows } = await db.admin.query(
          `select from pg_locks where relation = 'public.things'::regclass`,
        )
        return rows.length === 0
      },
      { what: 'the server to end the transaction' },
    )
    // deadlock_timeout is 1 s.
    expect(performance.now() - began).toBeLessThan(2_000)
    open()
    expect(await running).toMatchObject({ kind: 'blocked' })
    expect(await streams()).toBe(0)
    expect(await slice(job)).toMatchObject({ kind: 'taken', rows: 100 })
  })
})
