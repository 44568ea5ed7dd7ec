/** Reactors under what goes wrong: commits out of order, ends of streams, workers that die. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  defineDispatcher,
  everything,
  reactionWorker,
  reactor,
  reactorStatus,
} from '../../src/react/index.js'
import { type AppendedEvent, eventsOf } from '../../src/runtime/index.js'
import { appKnex } from '../runtime/app-knex.js'
import { forgetSubscriptions } from '../runtime/reset-subscriptions.js'
import { builtScript } from '../support/built.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { until } from '../support/race.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'

const CHILD = builtScript('worker-process.ts', import.meta.url)
const { Created } = eventsOf(Subscription)

describe('a worker', () => {
  const db = testDatabase()
  const app = appKnex(db, { max: 8 })
  const children: ChildProcess[] = []
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query('create table public.written (reactor text, what text)')
    await installCapture(db.database, Subscription)
  })
  beforeEach(async () => {
    await forgetSubscriptions(db.admin)
    await db.admin.query(`
      truncate eventward.consumers, eventward.reactions, eventward.reaction_order, eventward_worker._private_jobs;
      update eventward_worker._private_job_queues set locked_at = null, locked_by = null;
      truncate public.written`)
  })
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  const INSERT = `insert into public.subscriptions (id, user_id, reward_id, status, created_at) values ($1, 7, 8, 'unpaid', now())`
  const written = async (name: string) =>
    (
      await db.admin.query<{ what: string; times: string }>(
        'select what, count(*) as times from public.written where reactor = $1 group by what order by what',
        [name],
      )
    ).rows

  it('hands over an event that was committed after later ones, once', async () => {
    const seen: string[] = []
    const note = reactor<AppendedEvent>('note', ({ id }) => seen.push(id))
    const dispatcher = defineDispatcher((on) => on(Created, { async: [note] }))
    const worker = await reactionWorker({ url: db.url, dispatcher, knex: app() })
    await worker.once()
    const [first, second] = [await db.client(), await db.client()]
    // A transaction that has its id before all others, and appends between two of them.
    await first.query('begin; select pg_current_xact_id()')
    await second.query(INSERT, ['1'])
    await first.query(INSERT, ['2'])
    await second.query(INSERT, ['3'])
    await worker.once()
    // Of different streams, in whatever order.
    expect(seen.splice(0).sort()).toEqual(['1', '3'])
    await first.query('commit')
    await worker.once()
    await worker.once()
    expect(seen).toEqual(['2'])
    // Its place moves on to where nothing is above it: an idle worker writes nothing.
    const moved = 'select moved_at from eventward.consumers'
    await worker.once()
    const { rows } = await db.admin.query(moved)
    await worker.once()
    expect((await db.admin.query(moved)).rows).toEqual(rows)
    await worker.close()
  })

  it('makes a job for an event that comes while the one before it is ended', async () => {
    const seen: string[] = []
    let reached: () => void = () => undefined
    const inside = new Promise<void>((resolve) => {
      reached = resolve
    })
    let go: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    const audit = reactor<AppendedEvent>(
      'audit',
      async ({ id, version }) => {
        seen.push(`${id} v${version}`)
        if (version > 1) return
        reached()
        await gate
      },
      { ordered: true, transaction: true },
    )
    const dispatcher = defineDispatcher((on) => on(everything, { async: [audit] }))
    const options = { url: db.url, dispatcher, aggregates: [Subscription], knex: app() }
    const [worker, reader] = [await reactionWorker(options), await reactionWorker(options)]
    await db.admin.query(INSERT, ['1'])
    const working = worker.once()
    await inside
    // The reader notes the second event behind the first, for which it makes no job, and is stopped before it commits.
    const blocker = await db.client()
    await db.admin.query(`update public.subscriptions set status = 'inactive' where id = 1`)
    await blocker.query('begin; lock table eventward.consumers in share row exclusive mode')
    const reading = reader.once()
    await until(async () => (await waiting()) === 1, { what: 'the reader waits' })
    const end = until(async () => (await waiting()) === 2, {
      what: 'the end of the first waits',
      withinMs: 5_000,
    })
    go()
    await end
    await blocker.query('commit')
    await Promise.all([working, reading])
    await worker.once()
    expect(seen).toEqual(['1 v1', '1 v2'])
    const status = await db.database.session((session) => reactorStatus(session))
    expect(status).toMatchObject([{ reactor: 'audit', waiting: '0', held: '0' }])
    expect((await db.admin.query('select from eventward.reaction_order')).rowCount).toBe(0)
    await Promise.all([worker.close(), reader.close()])
  })

  async function waiting(): Promise<number> {
    const { rows } = await db.admin.query<{ waiters: string }>(
      `select count(*) as waiters from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return Number(rows[0]?.waiters)
  }

  function child(...args: readonly string[]) {
    const started = spawn(process.execPath, [CHILD, db.url, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(started)
    const lines: string[] = []
    createInterface({ input: started.stdout }).on('line', (line) => lines.push(line))
    const said = (line: string) => until(async () => lines.includes(line), { what: line, withinMs: 60_000 })
    return { process: started, lines, said }
  }

  it('that is killed in the middle has its jobs done by another one: in a transaction once, else at least once', async () => {
    const killed = child('3')
    await killed.said('ready')
    for (const id of ['1', '2', '3', '4']) await db.admin.query(INSERT, [id])
    const hanging = () => killed.lines.filter((line) => line === 'hangs').length
    await until(() => hanging() === 2, { what: 'both reactors are in the middle' })
    killed.process.kill('SIGKILL')
    await once(killed.process, 'exit')
    const { rows: locked } = await db.admin.query(
      'select from eventward_worker._private_jobs where locked_by is not null',
    )
    expect(locked.length).toBeGreaterThan(0)
    const next = child()
    await next.said('ready')
    await until(
      async () => (await db.admin.query('select from eventward_worker._private_jobs')).rowCount === 0,
      {
        what: 'all is done',
        withinMs: 60_000,
      },
    )
    expect(next.lines.some((line) => line.includes('"released"'))).toBe(true)
    const ledger = await written('ledger')
    expect(ledger.map(({ times }) => times)).toEqual(['1', '1', '1', '1'])
    const mails = await written('mail')
    expect(mails).toHaveLength(4)
    next.process.kill('SIGTERM')
    await next.said('ended')
  })
})
