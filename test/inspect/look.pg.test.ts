import { beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import type { LoadedConfig } from '../../src/config/index.js'
import { connect, type Database, type Session } from '../../src/db/index.js'
import { defineAggregate, defineTable, type Integer } from '../../src/definition/index.js'
import { doctor, explain, type Finding, plan, status } from '../../src/inspect/index.js'
import { sql } from '../../src/sql/index.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'

const Other = defineAggregate({
  name: 'Other',
  table: defineTable<{ id: Integer }>()({
    schema: 'public',
    name: 'other',
    key: ['id'],
    columns: { id: { type: 'integer', nullable: false } },
  }),
  events: { Created: { creates: true } },
})

const config: LoadedConfig = {
  path: '/eventward.config.ts',
  connection: null,
  knexfile: null,
  schemas: ['public'],
  events: { schema: 'public', table: 'events' },
  aggregates: [Subscription],
  freshnessSeconds: 3_600,
  lockTimeoutMs: 400,
}

/** A database that notes, before each statement, whether the server would refuse a write. */
function watched(real: Database): { readonly modes: string[]; readonly database: Database } {
  const modes: string[] = []
  const note = async (session: Session) => {
    const mode = await session.one<{ mode: string }>(
      sql`select current_setting('transaction_read_only') as mode`,
    )
    modes.push(mode.mode)
  }
  const noting = (session: Session): Session => ({
    ...session,
    rows: (query) => note(session).then(() => session.rows(query)),
    one: (query) => note(session).then(() => session.one(query)),
    execute: (query) => note(session).then(() => session.execute(query)),
    transaction: (options, work) => session.transaction(options, work),
    copyTo: (text) => session.copyTo(text),
  })
  return {
    modes,
    database: {
      target: real.target,
      cancelAll: () => real.cancelAll(),
      close: () => real.close(),
      session: (work) => real.session((session) => work(noting(session))),
    },
  }
}

describe('plan and explain', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(insertSubscriptions)
    await db.admin.query(`
      insert into public.subscriptions (id, user_id, reward_id, status, created_at)
      select i, 1, 1, 'unpaid', timestamptz '2020-01-01' + i * interval '1 minute'
      from generate_series(100, 60099) i`)
    await db.admin.query('analyze public.subscriptions')
    await db.admin.query('create table public.bare (note json)')
    await db.admin.query(
      'create table public.other (id integer primary key); insert into public.other values (1)',
    )
  })

  it('plan guesses from slices where there are many rows, and says that it guesses', async () => {
    const [planned] = await plan(db.database, config, { tables: ['subscriptions'] })
    expect(planned).toMatchObject({ supported: true, estimate: true, rows: '60002' })
    const events = Number(planned?.events)
    expect(events).toBeGreaterThan(60_001)
    expect(events).toBeLessThan(60_200)
    expect(planned?.chunks).toBe('13')
    expect(Number(planned?.diskBytes)).toBeGreaterThan(1_000_000)
    expect(planned?.freeDiskBytes).toBeNull()
  })

  it('plan lists tables that no aggregate covers, and none of our own', async () => {
    await backfill(db.database, Other)
    await backfill(db.database, Other, { restart: true, confirm: 'other' })
    const { rows } = await db.admin.query(
      "select from pg_catalog.pg_class where relname like 'events_other%archive%'",
    )
    expect(rows.length).toBeGreaterThan(0)
    const tables = await plan(db.database, { ...config, aggregates: [Subscription, Other] }, {})
    expect(tables.map(({ table, aggregate }) => [table, aggregate])).toEqual([
      ['subscriptions', 'Subscription'],
      ['other', 'Other'],
      ['bare', null],
    ])
    expect(tables[2]).toMatchObject({ supported: false, reasons: [{ code: 'EW_KEY_MISSING' }], events: null })
  })

  it('plan, explain, status and doctor run in transactions in which the server refuses any write', async () => {
    const { modes, database } = watched(db.database)
    await plan(database, config, {})
    await explain(database, config, { table: 'subscriptions' })
    await status(database, config)
    await doctor(database, config)
    expect(modes.length).toBeGreaterThan(3)
    expect(new Set(modes)).toEqual(new Set(['on']))
  })

  it('explain counts what no event explains, most frequent first', async () => {
    await db.admin.query(`
      update public.subscriptions set status = 'inactive' where id between 100 and 102;
      update public.subscriptions set status = 'active' where id = 103`)
    const explained = await explain(db.database, config, { table: 'subscriptions' })
    expect(explained).toMatchObject({ rows: '60002', explained: '59997', sample: false })
    expect(explained.share).toBeCloseTo(59_997 / 60_002)
    expect(explained.patterns).toEqual([
      { columns: [{ column: 'status', is: 'inactive' }], rows: '3' },
      { columns: [{ column: 'status', is: 'active' }], rows: '1' },
      { columns: [{ column: 'status', is: 'unpaid' }], rows: '1' },
    ])
    const short = await explain(db.database, config, { table: 'subscriptions', limit: 1 })
    expect([short.patterns.length, short.otherRows]).toEqual([1, '2'])
  })

  it('status knows what share of streams needed a Changed, and how far a backfill is', async () => {
    await backfill(db.database, Subscription)
    const [one] = await status(db.database, config, ['subscriptions'])
    expect(one).toMatchObject({
      phase: 'legacy',
      capture: 'off',
      reads: 'legacy',
      backfill: { complete: true, percent: 100, rows: '60002' },
      verify: null,
      openDifferences: null,
      next: 'eventward verify subscriptions',
    })
    // A sample where there are many events: unknown is null, and 5 of 60,002 is not nothing by much.
    expect(one?.residueShare).toBeLessThan(0.001)
  })
})

describe('doctor', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
  })

  const about = (findings: readonly Finding[], check: string) =>
    findings.filter((finding) => finding.check === check).map(({ severity }) => severity)

  it('finds nothing that stops on a plain server', async () => {
    const findings = await doctor(db.database, config)
    expect(findings.filter(({ severity }) => severity === 'stop')).toEqual([])
    expect(about(findings, 'append_only')).toEqual(['ok'])
  })

  it('every finding but a fine one has a remedy', async () => {
    const findings = await doctor(db.database, null)
    for (const { severity, next } of findings) expect(next === null).toBe(severity === 'ok')
  })

  it('finds a partition whose events could be changed', async () => {
    await backfill(db.database, Subscription)
    await db.admin.query('alter table public.events_subscription enable trigger eventward_append_only')
    const findings = await doctor(db.database, config)
    expect(about(findings, 'append_only')).toEqual(['stop'])
    await db.admin.query('alter table public.events_subscription enable always trigger eventward_append_only')
    expect(about(await doctor(db.database, config), 'append_only')).toEqual(['ok'])
  })

  it('finds an archive whose events could be changed', async () => {
    await db.admin.query(`select eventward.create_partition('Old', 'events_old')`)
    await db.admin.query('alter table public.events detach partition public.events_old')
    expect(about(await doctor(db.database, config), 'append_only')).toEqual(['ok'])
    await db.admin.query('alter table public.events_old disable trigger eventward_append_only_own')
    const findings = await doctor(db.database, config)
    expect(about(findings, 'append_only')).toEqual(['stop'])
    expect(findings.find(({ check }) => check === 'append_only')?.message).toContain('public.events_old')
    await db.admin.query('drop table public.events_old')
  })

  it('finds row level security that would hide rows from the role, and missing rights (C3)', async () => {
    await db.admin.query(`
      alter table public.subscriptions enable row level security;
      drop role if exists doctor_reader;
      create role doctor_reader login password 'reader'`)
    const url = new URL(db.url)
    url.username = 'doctor_reader'
    url.password = 'reader'
    const reader = await connect({ url: url.href, max: 1 })
    try {
      const findings = await doctor(reader, config)
      expect(about(findings, 'row_security')).toEqual(['stop'])
      expect(about(findings, 'select')).toEqual(['stop'])
      expect(about(findings, 'owner')).toEqual(['warn'])
      expect(about(await doctor(db.database, config), 'row_security')).toEqual([])
    } finally {
      await reader.close()
      await db.admin.query('drop role doctor_reader')
    }
  })

  it('finds a configured table that is not there', async () => {
    const gone = { ...Subscription, table: { ...Subscription.table, name: 'subscribtions' } }
    const findings = await doctor(db.database, { ...config, aggregates: [gone] })
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'table', severity: 'stop', table: 'subscribtions' }),
    )
  })
})
