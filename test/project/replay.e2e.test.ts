/** `eventward replay`, and a replay that is killed. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { replay } from '../../src/project/index.js'
import { appKnex } from '../runtime/app-knex.js'
import { builtScript } from '../support/built.js'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'
import { EXPECTED, perSubscription, SHOWN } from './per-subscription.js'

const CHILD = builtScript('replay-process.ts', import.meta.url)
const CONFIG = `
import { defineAggregate, defineConfig, defineProjection, defineTable, eventsOf } from 'eventward'
const subscriptions = defineTable()({ schema: 'public', name: 'subscriptions', key: ['id'], columns: {
  id: { type: 'bigint', nullable: false }, stripe_key: { type: 'text', nullable: true },
  status: { type: 'public.subscription_status', nullable: false, values: ['unpaid', 'active', 'inactive'] } } })
const Subscription = defineAggregate({ name: 'Subscription', table: subscriptions, events: {
  Created: { creates: true, set: { status: 'unpaid' } },
  Activated: { data: ['stripe_key'], set: { status: 'active' } } } })
const { Activated } = eventsOf(Subscription)
export default defineConfig({ aggregates: [Subscription], projections: [defineProjection({
  name: 'active_keys', version: 1, mode: 'async',
  create: (schema, table) => schema.createTable(table, (t) => { t.text('id').primary(); t.text('stripe_key') }),
  on: (on) => on(Activated, (event, { trx, table }) =>
    trx(table).insert({ id: event.id, stripe_key: event.stripe_key }).onConflict('id').merge()),
})] })
`

describe('a replay', () => {
  const db = testDatabase()
  const app = appKnex(db)
  const cli = cliIn(() => db.url)
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
    await db.admin.query(manySubscriptions(1, 300))
    await writeFile(join(cli.cwd, 'eventward.config.ts'), CONFIG)
  })

  it('that is killed within a page goes on after the last one, and ends the same', async () => {
    const killed = promisify(execFile)(process.execPath, [CHILD, db.url, '175'])
    await expect(killed).rejects.toMatchObject({ signal: 'SIGKILL' })
    const { rows } = await db.admin.query('select events, state from eventward.projection_generations')
    expect(rows).toEqual([{ events: '150', state: 'building' }])
    const { run, ...resumed } = await replay(app(), perSubscription())
    expect(resumed).toMatchObject({ resumed: true, generation: 1 })
    const receipts = await db.admin.query(
      `select id, command, table_name, state, params ->> 'mode' as mode, outcome ->> 'events' as events
       from eventward.runs where command = 'replay' order by id`,
    )
    // Who died couldn't say how it ended.
    expect(receipts.rows).toEqual([
      expect.objectContaining({ state: 'running', events: null }),
      {
        id: run,
        command: 'replay',
        table_name: 'activations',
        state: 'complete',
        mode: 'async',
        events: resumed.events,
      },
    ])
    expect((await db.admin.query(SHOWN)).rows).toEqual((await db.admin.query(EXPECTED)).rows)
  })

  it('that fails or is stopped leaves a receipt which says so', async () => {
    const failing = perSubscription({ name: 'failing', onEvent: () => Promise.reject(new TypeError('no')) })
    await expect(replay(app(), failing)).rejects.toMatchObject({ code: 'EW_PROJECTION_FAILED' })
    await expect(
      replay(app(), perSubscription({ name: 'stopped' }), { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'EW_STOPPED' })
    const { rows } = await db.admin.query(
      `select table_name, state, outcome ->> 'code' as code from eventward.runs
       where table_name in ('failing', 'stopped') order by id`,
    )
    expect(rows).toEqual([
      { table_name: 'failing', state: 'failed', code: 'EW_PROJECTION_FAILED' },
      { table_name: 'stopped', state: 'stopped', code: 'EW_STOPPED' },
    ])
  })

  it('is told in one document, and the old table is removed by name', async () => {
    const first = await cli.json('replay', 'active_keys')
    expect(first).toMatchObject({
      status: 0,
      document: { ok: true, command: 'replay', projection: 'active_keys', events: '200', noParity: 'first' },
    })
    const again = await cli.json('replay', 'active_keys')
    expect(again.document).toMatchObject({
      table: 'public.active_keys__g2',
      parity: { oldRows: '200', newRows: '200', onlyOld: '0', onlyNew: '0', columns: [] },
      next: 'eventward replay active_keys --drop-old',
    })
    expect((await cli.json('replay', 'active_keys', '--drop-old')).document).toMatchObject({
      dropped: ['public.active_keys__g1'],
    })
    expect(await cli.json('replay', 'active_key')).toMatchObject({
      status: 2,
      document: { ok: false, error: { code: 'EW_PROJECTION_UNKNOWN' } },
    })
    const text = await cli.spawn('replay', 'active_keys')
    expect(text.stdout).toContain('active_keys v1 shows public.active_keys__g3 now')
    expect(text.stdout).toContain('equal to the old one: 200 rows')
  })
})
