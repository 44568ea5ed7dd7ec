/** `eventward work`, as a user runs it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { builtCli } from '../support/built.js'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { until } from '../support/race.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'

const CONFIG = `
import { defineAggregate, defineConfig, defineDispatcher, defineProjection, defineTable, eventsOf, reactor } from 'eventward'
const subscriptions = defineTable()({ schema: 'public', name: 'subscriptions', key: ['id'], columns: {
  id: { type: 'bigint', nullable: false }, stripe_key: { type: 'text', nullable: true },
  status: { type: 'public.subscription_status', nullable: false, values: ['unpaid', 'active', 'inactive'] } } })
const Subscription = defineAggregate({ name: 'Subscription', table: subscriptions, events: {
  Created: { creates: true, set: { status: 'unpaid' } },
  Activated: { data: ['stripe_key'], set: { status: 'active' } } } })
const { Created } = eventsOf(Subscription)
export default defineConfig({
  aggregates: [Subscription],
  dispatcher: defineDispatcher((on) => on(Created, { async: [
    reactor('welcome', (event, { knex, key }) => knex.raw('insert into public.written values (?)', [key])),
    reactor('fails', () => { throw new Error('no way') }, { maxAttempts: 1 }),
  ] })),
  projections: [defineProjection({
    name: 'created', version: 1, mode: 'async',
    create: (schema, table) => schema.createTable(table, (t) => { t.text('id').primary() }),
    on: (on) => on(Created, (event, { trx, table }) => trx(table).insert({ id: event.id })),
  })],
})
`

describe('eventward work', () => {
  const db = testDatabase()
  const cli = cliIn(() => db.url)
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query('create table public.written (key text)')
    await installCapture(db.database, Subscription)
    await writeFile(join(cli.cwd, 'eventward.config.ts'), CONFIG)
  })
  const insert = (id: number) =>
    db.admin.query(
      `insert into public.subscriptions (id, user_id, reward_id, status, created_at) values ($1, 7, 8, 'unpaid', now())`,
      [id],
    )
  const written = async () => (await db.admin.query('select from public.written')).rowCount

  it('--once does what is there to do, and says what failed and how to go on', async () => {
    expect(await cli.json('work', '--once')).toMatchObject({
      status: 0,
      document: { ok: true, reactors: [] },
    })
    await insert(1)
    const first = await cli.json('work', '--once')
    expect(first).toMatchObject({
      status: 1,
      document: {
        ok: false,
        command: 'work',
        error: { code: 'EW_WORK_FAILED', message: '1 call of a reactor failed' },
      },
    })
    expect(first.document).toMatchObject({
      reactors: [
        { reactor: 'welcome', enqueued: 1, done: 1, failed: 0, givenUp: 0 },
        { reactor: 'fails', enqueued: 1, done: 0, failed: 1, givenUp: 1 },
      ],
      projections: [{ projection: 'created', events: 1, state: 'written' }],
    })
    expect(await written()).toBe(1)
    expect((await db.admin.query('select id from public.created')).rows).toEqual([{ id: '1' }])
    const failed = await cli.json('work', 'failed')
    expect(failed.document).toMatchObject({
      jobs: [{ reactor: 'fails', stream: '1', attempts: 1, maxAttempts: 1, nextAt: null, holds: '0' }],
    })
    const text = await cli.spawn('work', 'failed')
    expect(text.stdout).toMatch(/fails +Subscription 1 +\d+ +1 of 1 +given up +Error: no way/)
    const [job] = (failed.document as unknown as { jobs: readonly { id: string }[] }).jobs
    expect((await cli.json('work', 'retry', '--all')).document).toMatchObject({ jobs: [{ id: job?.id }] })
    expect((await cli.json('work', '--once')).status).toBe(1)
    expect((await cli.json('work', 'discard', job?.id ?? '')).document).toMatchObject({ ok: true })
    expect((await cli.json('work', 'status')).document).toMatchObject({
      reactors: [
        { reactor: 'fails', fromLog: '1', failed: '0' },
        { reactor: 'welcome', fromLog: '1', failed: '0' },
      ],
    })
  })

  it('is refused what it can not do, and changes nothing', async () => {
    const code = async (...args: readonly string[]) => (await cli.json('work', ...args)).document.error?.code
    expect(await code('retry')).toBe('EW_USAGE')
    expect(await code('retry', 'one')).toBe('EW_USAGE')
    expect(await code('retry', '987654')).toBe('EW_JOB_UNKNOWN')
    expect(await code('discard', '--all')).toBe('EW_USAGE')
    expect(await code('reset', 'nobody')).toBe('EW_REACTOR_UNKNOWN')
    expect((await cli.json('work', 'reset', 'welcome')).status).toBe(0)
  })

  it('works until it is told to end, and ends what it is at', async () => {
    const before = (await written()) ?? 0
    const child = spawn(process.execPath, [builtCli(), 'work'], {
      cwd: cli.cwd,
      env: { PATH: process.env['PATH'], HOME: cli.cwd, DATABASE_URL: db.url },
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    await until(() => said.includes('at work: 2 reactors, 1 projection'), { what: said, withinMs: 60_000 })
    await insert(2)
    await until(async () => (await written()) === before + 1, {
      what: 'the reactor is called',
      withinMs: 60_000,
    })
    await until(async () => (await db.admin.query('select from public.created')).rowCount === 2, {
      what: 'the projection is written',
      withinMs: 60_000,
    })
    await until(() => said.includes('reactor fails: failed at position'), {
      what: 'the failure is told',
      withinMs: 60_000,
    })
    child.kill('SIGTERM')
    const [status] = await once(child, 'exit')
    expect(status).toBe(1)
  })
})
