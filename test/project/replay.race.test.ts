/** A projection is rebuilt while commands, old code and readers go on. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { attachProjections, dropOld, projectionRunner, replay } from '../../src/project/index.js'
import { appKnex } from '../runtime/app-knex.js'
import { forgetSubscriptions } from '../runtime/reset-subscriptions.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { gate, until } from '../support/race.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'
import { Activate, Deactivate, EXPECTED, perSubscription, SHOWN } from './per-subscription.js'

const STATEMENT =
  'update public.subscriptions set status = $2, activated_at = clock_timestamp() where id = $1'

describe('a replay', () => {
  const db = testDatabase()
  const app = appKnex(db, { max: 10 })
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
  })
  beforeEach(async () => {
    await forgetSubscriptions(db.admin)
    const { rows } = await db.admin.query<{ t: string }>(
      'select table_name as t from eventward.projection_generations',
    )
    await db.admin.query('drop view if exists public.activations')
    for (const { t } of rows) await db.admin.query(`drop table if exists public.${t}`)
    await db.admin.query('delete from eventward.projection_generations')
    await db.admin.query(manySubscriptions(1, 40))
  })
  const shown = async () => (await db.admin.query(SHOWN)).rows
  const expected = async () => (await db.admin.query(EXPECTED)).rows
  const work = (projection = perSubscription()) =>
    projectionRunner({ knex: app(), projections: [projection] }).once()

  it('of 5,000 events under live commands leaves the old readable and ends with the new one equal', async () => {
    await db.admin.query(manySubscriptions(41, 2_400))
    const projection = perSubscription()
    await replay(app(), projection)
    const load = { on: true, commands: 0, reads: 0, failed: [] as unknown[] }
    // A command a page and connection, at the same time as the page: without a bound they'd outrun it on a slow machine.
    let turn = gate()
    const commands = [1, 2, 3].map(async (id) => {
      while (load.on) {
        await Activate.call(app(), { id })
        load.commands += 1
        await turn.pass()
      }
    })
    const reader = await db.client()
    const reads = (async () => {
      while (load.on) {
        const { rows } = await reader.query<{ n: string }>('select count(*) as n from public.activations')
        if (rows[0]?.n !== '2400') load.failed.push(rows[0])
        load.reads += 1
      }
    })()
    const next = () => {
      turn.open()
      turn = gate()
    }
    const result = await replay(app(), projection, { pageSize: 100, onProgress: next }).finally(() => {
      load.on = false
      turn.open()
    })
    await Promise.all([...commands, reads])
    expect(load.failed).toEqual([])
    expect(load.reads).toBeGreaterThan(10)
    expect(load.commands).toBeGreaterThan(10)
    expect(Number(result.events)).toBeGreaterThan(4_800)
    expect(result).toMatchObject({
      generation: 2,
      old: 'public.activations__g1',
      parity: { oldRows: '2400', newRows: '2400', onlyOld: '0', onlyNew: '0' },
    })
    await work()
    expect(await shown()).toEqual(await expected())
  })

  it('shows what the old one had that the new one has not', async () => {
    const projection = perSubscription()
    await replay(app(), projection)
    await db.admin.query(`update public.activations__g1 set seen = 'wrong' where id = '3'`)
    await db.admin.query(`delete from public.activations__g1 where id = '4'`)
    const { parity } = await replay(app(), projection)
    expect(parity).toMatchObject({ oldRows: '39', newRows: '40', onlyOld: '1', onlyNew: '2' })
    expect(await shown()).toEqual(await expected())
    expect(await dropOld(app(), projection)).toEqual(['public.activations__g1'])
    expect(await dropOld(app(), projection)).toEqual([])
  })

  it('writes what a command did between its last catch-up and the flip', async () => {
    let between = false
    const projection = perSubscription({
      onEvent: async () => {
        if (between) return
        between = true
        // Its page reads up to a snapshot from before this: only the flip can bring it.
        await Activate.call(app(), { id: 7 })
      },
    })
    const result = await replay(app(), projection)
    expect(result.lastEvents).toBe(1)
    expect(await shown()).toEqual(await expected())
  })

  it('begun twice at once is one: each event written once, one flip', async () => {
    await db.admin.query(manySubscriptions(41, 400))
    const both = await Promise.all([1, 2].map(() => replay(app(), perSubscription(), { pageSize: 20 })))
    expect(both.map(({ generation }) => generation)).toEqual([1, 1])
    expect(both.filter(({ flippedByOther }) => flippedByOther)).toHaveLength(1)
    expect(await shown()).toEqual(await expected())
  })

  it('stops at the event whose handler fails, names it, and goes on there', async () => {
    const { rows } = await db.admin.query<{ position: string }>(
      'select position from public.events order by position offset 30 limit 1',
    )
    const at = rows[0]?.position ?? ''
    const failing = perSubscription({
      onEvent: (position) => {
        if (position === at) throw new RangeError('no such reward')
      },
    })
    await expect(replay(app(), failing)).rejects.toMatchObject({
      code: 'EW_PROJECTION_FAILED',
      message: expect.stringContaining(`position ${at}`),
      details: { projection: 'activations', position: at },
    })
    const { rows: kept } = await db.admin.query('select events from eventward.projection_generations')
    expect(kept).toEqual([{ events: '30' }])
    expect(await replay(app(), perSubscription())).toMatchObject({ resumed: true })
    expect(await shown()).toEqual(await expected())
  })

  it('that commits out of order leaves out no event, and writes none twice', async () => {
    const projection = perSubscription()
    await replay(app(), projection)
    const early = await db.client()
    await early.query('begin')
    await early.query(STATEMENT, ['1', 'inactive'])
    await early.query(STATEMENT, ['1', 'active'])
    await Activate.call(app(), { id: 2 })
    await work()
    expect((await shown())[11]).toMatchObject({ id: '2' })
    await early.query('commit')
    await work()
    expect(await shown()).toEqual(await expected())
  })

  it('of another version changes the columns, and keeps who may read', async () => {
    await replay(app(), perSubscription())
    await db.admin.query('create role reports_reader')
    try {
      await db.admin.query('grant select on public.activations to reports_reader')
      const two = perSubscription({
        version: 2,
        create: (schema, table) =>
          schema.createTable(table, (t) => {
            t.text('seen').notNullable()
            t.bigInteger('times').notNullable()
            t.text('id').primary()
          }),
      })
      expect(await work(two)).toMatchObject([{ state: 'behind', events: 0 }])
      expect(await replay(app(), two)).toMatchObject({ version: 2, noParity: 'other version', parity: null })
      expect(await shown()).toEqual(await expected())
      const { rows } = await db.admin.query<{ may: string }>(
        `select has_table_privilege('reports_reader', 'public.activations', 'select') as may`,
      )
      expect(rows).toEqual([{ may: 't' }])
    } finally {
      await db.admin.query('drop owned by reports_reader; drop role reports_reader')
    }
  })

  it('refuses a name that is a table', async () => {
    await db.admin.query('create table public.taken (id int)')
    await expect(replay(app(), perSubscription({ name: 'taken' }))).rejects.toMatchObject({
      code: 'EW_PROJECTION_NAME',
    })
  })

  describe('of an inline projection', () => {
    const inline = () => perSubscription({ mode: 'inline' })

    it('is written in each command, and what old code writes comes in the order of its stream', async () => {
      await replay(app(), inline())
      const off = attachProjections(app(), [inline()])
      try {
        await Activate.call(app(), { id: 1 })
        // Not read by anyone yet, when the next command comes.
        await db.admin.query(STATEMENT, ['1', 'inactive'])
        await db.admin.query(STATEMENT, ['1', 'active'])
        await Deactivate.call(app(), { id: 1 })
        const row = (await shown()).find(({ id }) => id === '1')
        expect(row).toEqual((await expected()).find(({ id }) => id === '1'))
        await work(inline())
        await work(inline())
        expect(await shown()).toEqual(await expected())
        const { rows } = await db.admin.query('select * from eventward.projection_receipts')
        expect(rows).toEqual([])
      } finally {
        off()
      }
    })

    it('refuses a command whose snapshot is older than what was written, before it writes it twice', async () => {
      await replay(app(), inline())
      const off = attachProjections(app(), [inline()])
      try {
        await db.admin.query(STATEMENT, ['1', 'inactive'])
        await db.admin.query(STATEMENT, ['1', 'active'])
        const late = app().transaction(
          async (trx) => {
            await trx.raw('select 1')
            await work(inline())
            await Deactivate.call(trx, { id: 1 })
          },
          { isolationLevel: 'repeatable read' },
        )
        await expect(late).rejects.toMatchObject({ code: '40001' })
        await Deactivate.call(app(), { id: 1 })
        expect(await shown()).toEqual(await expected())
      } finally {
        off()
      }
    })

    it('keeps no command waiting behind a reader that waits for a long one', async () => {
      await replay(app(), inline())
      const off = attachProjections(app(), [inline()])
      const held = gate()
      try {
        const long = app().transaction(async (trx) => {
          await Activate.call(trx, { id: 5 })
          await held.pass()
        })
        await held.entered
        expect(await work(inline())).toMatchObject([{ state: 'written', events: 0 }])
        await Activate.call(app(), { id: 6 })
        held.open()
        await long
        expect(await shown()).toEqual(await expected())
      } finally {
        held.open()
        off()
      }
    })

    it('is undone with its command, and undoes it', async () => {
      await replay(app(), inline())
      const off = attachProjections(app(), [
        perSubscription({
          mode: 'inline',
          onEvent: () => {
            throw new RangeError('no')
          },
        }),
      ])
      const before = [await shown(), await expected()]
      await expect(Activate.call(app(), { id: 1 })).rejects.toMatchObject({ code: 'EW_PROJECTION_FAILED' })
      off()
      expect([await shown(), await expected()]).toEqual(before)
    })

    it('waits out a transaction that writes inline, before it flips', async () => {
      await replay(app(), inline())
      const off = attachProjections(app(), [inline()])
      const held = gate()
      try {
        const command = app().transaction(async (trx) => {
          await Activate.call(trx, { id: 5 })
          await held.pass()
        })
        await held.entered
        const retries: number[] = []
        const flipping = replay(app(), inline(), {
          lockTimeoutMs: 5_000,
          onRetry: (attempt) => retries.push(attempt),
        })
        await until(
          async () => {
            const { rows } = await db.admin.query(
              `select from pg_catalog.pg_locks where locktype = 'advisory' and not granted and mode = 'ExclusiveLock'`,
            )
            return rows.length > 0
          },
          { what: 'the flip to wait for the command' },
        )
        const { rows } = await db.admin.query(
          `select table_name from eventward.projection_generations where state = 'live'`,
        )
        expect(rows).toEqual([{ table_name: 'activations__g1' }])
        held.open()
        await command
        expect(await flipping).toMatchObject({ lastEvents: 1, parity: { onlyOld: '0', onlyNew: '0' } })
        await Activate.call(app(), { id: 5 })
        expect(await shown()).toEqual(await expected())
        await work(inline())
        expect(await shown()).toEqual(await expected())
      } finally {
        held.open()
        off()
      }
    })
  })
})
