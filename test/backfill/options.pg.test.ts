import { beforeAll, describe, expect, it } from 'vitest'
import { backfill, backfillAll } from '../../src/backfill/index.js'
import { defineAggregate, defineTable, type Integer } from '../../src/definition/index.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

const Gone = defineAggregate({
  name: 'Gone',
  table: defineTable<{ id: Integer; name: string }>()({
    schema: 'public',
    name: 'gone',
    key: ['id'],
    columns: { id: { type: 'integer', nullable: false }, name: { type: 'text', nullable: false } },
  }),
  events: { Made: { creates: true, data: ['name'] } },
})

describe('a dry run', () => {
  const bare = testDatabase({ migrated: false })
  beforeAll(async () => {
    await bare.admin.query(createSubscriptions + manySubscriptions(1, 300))
  })

  it('counts before anything is installed, and installs nothing', async () => {
    const seen: string[] = []
    const result = await backfill(bare.database, Subscription, {
      dryRun: true,
      chunkRows: 100,
      onProgress: ({ rows }) => seen.push(rows),
    })
    expect(result).toEqual({
      table: 'subscriptions',
      rows: '300',
      streams: '300',
      events: '600',
      alreadyThere: '0',
      complete: true,
      run: null,
      resumed: false,
      left: [],
      dryRun: true,
      capture: 'off',
    })
    expect(seen.slice(0, 3)).toEqual(['100', '200', '300'])
    const { rows } = await bare.admin.query(`select from pg_namespace where nspname = 'eventward'`)
    expect(rows).toHaveLength(0)
  })

  it('stops when it is told to', async () => {
    const stopped = { dryRun: true, signal: AbortSignal.abort() }
    await expect(backfill(bare.database, Subscription, stopped)).rejects.toMatchObject({ code: 'EW_STOPPED' })
  })

  it('the real one is told to migrate first', async () => {
    await expect(backfill(bare.database, Subscription)).rejects.toMatchObject({ code: 'EW_NOT_MIGRATED' })
  })
})

describe('a backfill of several tables', () => {
  const db = testDatabase()
  beforeAll(async () => {
    await db.admin.query(createSubscriptions + manySubscriptions(1, 300))
  })

  it('looks at all of them before it begins with the first', async () => {
    await expect(backfillAll(db.database, [Subscription, Gone])).rejects.toMatchObject({
      code: 'EW_TABLE_UNKNOWN',
    })
    const { rows } = await db.admin.query(
      'select (select count(*) from eventward.runs) as runs, (select count(*) from eventward.definitions) as definitions',
    )
    expect(rows).toEqual([{ runs: '0', definitions: '0' }])
  })

  it.each([
    { workers: 0 },
    { chunkRows: 1.5 },
    { maxRate: -1 },
    { restart: true, dryRun: true },
    { patienceMs: Number.NaN },
  ])('refuses %j', async (options) => {
    await expect(backfillAll(db.database, [Subscription], options)).rejects.toMatchObject({
      code: 'EW_OPTION',
      exitStatus: 2,
    })
  })

  it('gives up on a table that stays locked, naming who holds it, and goes on later', async () => {
    const app = await db.client()
    await app.query(`set application_name = 'nightly rewrite'`)
    let locked: Promise<unknown> | undefined
    const failed = backfill(db.database, Subscription, {
      chunkRows: 100,
      maxRate: 300,
      patienceMs: 200,
      onProgress: () => {
        locked ??= app.query('begin; lock table public.subscriptions in access exclusive mode')
      },
    })
    await expect(failed).rejects.toMatchObject({
      code: 'EW_TABLE_LOCKED',
      exitStatus: 3,
      message: expect.stringContaining('nightly rewrite'),
    })
    await locked
    await app.query('rollback')
    expect(await backfill(db.database, Subscription)).toMatchObject({
      rows: '300',
      streams: '300',
      resumed: true,
    })
  })

  it('leaves receipts: who, where, which version, what came of it', async () => {
    const { rows } = await db.admin.query<Record<string, string | null>>(
      `select command, table_name, aggregate_type, state, tool_version, application_name, host, os_user, db_user, counts, outcome
       from eventward.runs`,
    )
    expect(rows).toHaveLength(1)
    const [receipt] = rows
    expect(receipt).toMatchObject({
      command: 'backfill',
      table_name: 'subscriptions',
      aggregate_type: 'Subscription',
      state: 'complete',
      tool_version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      application_name: 'eventward',
      db_user: 'postgres',
      outcome: '{"capture": false}',
    })
    expect(receipt?.['host']).not.toBe('')
    expect(JSON.parse(receipt?.['counts'] ?? '{}')).toEqual({
      rows: '300',
      streams: '300',
      events: '600',
      differences: '0',
    })
  })
})
