import { beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import type { LoadedConfig } from '../../src/config/index.js'
import { defineAggregate, defineTable } from '../../src/definition/index.js'
import { history, show } from '../../src/inspect/index.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'

const memberships = defineTable<{ team: string; since: string; role: string | null }>()({
  schema: 'public',
  name: 'memberships',
  key: ['team', 'since'],
  columns: {
    team: { type: 'text', nullable: false },
    since: { type: 'date', nullable: false },
    role: { type: 'text', nullable: true },
  },
})
const Membership = defineAggregate({
  name: 'Membership',
  table: memberships,
  events: { Created: { creates: true, data: ['role'] } },
})

const config: LoadedConfig = {
  path: '/eventward.config.ts',
  connection: null,
  knexfile: null,
  schemas: ['public'],
  events: { schema: 'public', table: 'events' },
  aggregates: [Subscription, Membership],
  freshnessSeconds: 3_600,
  lockTimeoutMs: 400,
}

describe("history and show of the slide's rows", () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(insertSubscriptions)
    await db.admin.query(`
      create table public.memberships (team text, since date, role text, primary key (team, since));
      insert into public.memberships values ('a,b', '2020-02-01', 'lead')`)
    for (const aggregate of config.aggregates) await backfill(db.database, aggregate)
  })

  it('tells what each event changed, and that the contradiction is residue', async () => {
    const { entries, table } = await history(db.database, config, { aggregate: 'Subscription', id: '13' })
    expect(table).toBe('subscriptions')
    expect(
      entries.map(({ version, type, residue, inferred }) => ({ version, type, residue, inferred })),
    ).toEqual([
      { version: 1, type: 'Created', residue: false, inferred: false },
      { version: 2, type: 'Activated', residue: false, inferred: false },
      { version: 3, type: 'Deactivated', residue: false, inferred: false },
      { version: 4, type: 'Changed', residue: true, inferred: true },
    ])
    expect(entries[1]?.changed).toEqual([
      { column: 'status', before: 'unpaid', after: 'active' },
      { column: 'stripe_key', before: null, after: 'sub_66134' },
      { column: 'activated_at', before: null, after: '2018-02-02 00:00:00+00' },
    ])
    expect(entries[3]?.changed).toEqual([{ column: 'status', before: 'inactive', after: 'unpaid' }])
    expect(entries[3]?.data).toBe('{"status": "unpaid"}')
    expect(entries[0]?.metadata).toMatchObject({ source: 'backfill' })
  })

  const rowAt = async (id: string, at?: string) =>
    show(db.database, config, { aggregate: 'Subscription', id, at })

  it('shows the row now as it is in the table', async () => {
    const { row, version, lastVersion } = await rowAt('13')
    const { rows } = await db.admin.query('select * from public.subscriptions where id = 13')
    expect({ version, lastVersion }).toEqual({ version: 4, lastVersion: 4 })
    expect(row).toEqual(rows[0])
  })

  it('shows the row at a version', async () => {
    expect((await rowAt('13', '1')).row).toMatchObject({
      status: 'unpaid',
      stripe_key: null,
      activated_at: null,
    })
    expect((await rowAt('13', '3')).row).toMatchObject({ status: 'inactive' })
  })

  it('shows no row at a version that has not come yet, and says how many there are', async () => {
    await expect(rowAt('13', '5')).rejects.toMatchObject({
      code: 'EW_VERSION_UNKNOWN',
      exitStatus: 2,
      message: 'Subscription 13 has no version 5: its last is 4',
    })
  })

  it('shows the row at a time, and says where times run against versions', async () => {
    const shown = await rowAt('13', '2018-03-01')
    expect(shown.at).toEqual({ time: '2018-03-01 00:00:00+00' })
    expect(shown.version).toBe(2)
    expect(shown.row).toMatchObject({ status: 'active' })
    expect(shown.outOfOrder).toEqual([4])
  })

  it('shows no row before the first event, and reads a time in the zone that it names', async () => {
    expect(await rowAt('12', '2018-01-31 23:59:59.999999')).toMatchObject({ row: null, version: 0 })
    expect((await rowAt('12', '2018-02-01 01:00+01')).version).toBe(2)
    expect((await rowAt('12', '2018-02-01 01:00+02')).version).toBe(0)
  })

  it('takes a key as its type reads it', async () => {
    expect((await rowAt(' 0012')).id).toBe('12')
  })

  it.each([
    ['a JSON array', '["a,b","2020-02-01"]'],
    ['a JSON array whose date is written otherwise', '["a,b","2020-2-1"]'],
  ])('takes a key of several columns as %s', async (_, id) => {
    const shown = await show(db.database, config, { aggregate: 'Membership', id, at: undefined })
    expect(shown.id).toBe('["a,b","2020-02-01"]')
    expect(shown.row).toEqual({ team: 'a,b', since: '2020-02-01', role: 'lead' })
  })

  it('takes a key of several columns with commas, where the texts have none', async () => {
    await expect(
      show(db.database, config, { aggregate: 'Membership', id: 'c,2020-02-01', at: undefined }),
    ).rejects.toMatchObject({ code: 'EW_STREAM_UNKNOWN', details: { id: '["c","2020-02-01"]' } })
  })

  it('refuses a key of the wrong number of values', async () => {
    await expect(
      show(db.database, config, { aggregate: 'Membership', id: 'a,b,2020-02-01', at: undefined }),
    ).rejects.toMatchObject({ code: 'EW_KEY_INVALID' })
  })
})
