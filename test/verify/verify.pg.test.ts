import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'

const ENGINES = ['sql', 'replay'] as const

describe('verify of the seed', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(insertSubscriptions)
    await db.admin.query("select eventward.create_partition('Subscription', 'events_subscription')")
    await db.admin.query(SEED_EVENTS)
  })

  /** What a test planted is taken back: rows and events as they were. */
  afterEach(async () => {
    await plant('delete from public.events')
    await db.admin.query(`truncate public.subscriptions; ${insertSubscriptions} ${SEED_EVENTS}`)
  })

  /** As someone with all rights would: the triggers that keep events append-only are off for the moment. */
  async function plant(statement: string) {
    await db.admin.query(`
      begin;
      alter table public.events_subscription disable trigger eventward_append_only, disable trigger eventward_append_only_own;
      ${statement};
      alter table public.events_subscription enable always trigger eventward_append_only,
          enable always trigger eventward_append_only_own;
      commit`)
  }

  const run = (engine: (typeof ENGINES)[number], options: Parameters<typeof verify>[2] = {}) =>
    verify(db.database, Subscription, { engine, chunkSize: 2, ...options })

  async function differencesOf(engine: (typeof ENGINES)[number]) {
    const { table, differences } = await run(engine)
    expect(table.clean).toBe(false)
    expect(table.differences).toBe(String(differences.length))
    return differences.map(({ key, kind, columns, message }) => ({ key, kind, columns, message }))
  }

  describe.each(ENGINES)('by %s', (engine) => {
    it('finds the events of the slide and its rows equal', async () => {
      const { table, differences } = await run(engine)
      expect(differences).toEqual([])
      expect(table).toMatchObject({ rows: '2', streams: '2', events: '6', differences: '0', clean: true })
    })

    it('names the column of a changed value in an event, both texts, and the event that set it', async () => {
      await plant(
        `update public.events set data = '{"stripe_key": "sub_x"}' where aggregate_id = '13' and version = 2`,
      )
      expect(await differencesOf(engine)).toEqual([
        {
          key: '13',
          kind: 'row_differs',
          columns: [
            {
              column: 'stripe_key',
              row: 'sub_66134',
              events: 'sub_x',
              setBy: { version: 2, type: 'Activated', writer: 'eventward/0', source: 'backfill' },
            },
          ],
          message: undefined,
        },
      ])
    })

    it('finds a row that was written past its events', async () => {
      await db.admin.query(`update public.subscriptions set reward_id = 9, stripe_key = null where id = 12`)
      const [found, ...others] = await differencesOf(engine)
      expect(others).toEqual([])
      expect(found?.kind).toBe('row_differs')
      expect(found?.columns.map(({ column, row, events }) => [column, row, events])).toEqual([
        ['reward_id', '9', '234'],
        ['stripe_key', null, 'sub_66123'],
      ])
    })

    it('finds an event that is missing in the middle', async () => {
      await plant(`delete from public.events where aggregate_id = '13' and version = 2`)
      expect(await differencesOf(engine)).toMatchObject([
        { key: '13', kind: 'version_gap', message: 'version 2 is missing: 3 follows 1' },
      ])
    })

    it('finds a first event that is missing', async () => {
      await plant(`delete from public.events where aggregate_id = '13' and version = 1`)
      expect(await differencesOf(engine)).toMatchObject([
        { key: '13', kind: 'version_gap', message: 'version 1 is missing: 2 follows 0' },
      ])
    })

    it('finds a last event that is missing by what it set', async () => {
      await plant(`delete from public.events where aggregate_id = '13' and version = 4`)
      expect(await differencesOf(engine)).toMatchObject([
        {
          key: '13',
          kind: 'row_differs',
          columns: [{ column: 'status', row: 'unpaid', events: 'inactive' }],
        },
      ])
    })

    it('finds a row that is gone without an event', async () => {
      await db.admin.query('delete from public.subscriptions where id = 12')
      expect(await differencesOf(engine)).toMatchObject([{ key: '12', kind: 'missing_row', columns: [] }])
    })

    it('finds a row that has no events', async () => {
      await db.admin.query(`insert into public.subscriptions values (14, 1, 1, null, 'unpaid', null, now())`)
      expect(await differencesOf(engine)).toMatchObject([{ key: '14', kind: 'missing_stream', columns: [] }])
    })

    it('finds a row whose events end in nothing', async () => {
      await plant(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
        values ('Subscription', '12', 3, 'Deleted', '{}', now())`)
      expect(await differencesOf(engine)).toMatchObject([{ key: '12', kind: 'dead_stream', columns: [] }])
    })

    it('is clean where a removed row has its event, and where its key came back', async () => {
      await db.admin.query('delete from public.subscriptions where id = 12')
      await plant(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
        values ('Subscription', '12', 3, 'Deleted', '{}', now())`)
      expect((await run(engine)).table.clean).toBe(true)
      await db.admin.query(
        `insert into public.subscriptions values (12, 1, 1, null, 'unpaid', null, '2020-01-01Z')`,
      )
      await plant(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
        values ('Subscription', '12', 4, 'Created', '{"user_id": 1, "reward_id": 1, "payment_source_key": null}', '2020-01-01Z')`)
      expect(await run(engine)).toMatchObject({
        table: { clean: true, streams: '2', events: '8' },
        differences: [],
      })
    })

    it('finds an event that no definition knows, by type and by schema version', async () => {
      await plant(`update public.events set type = 'Paused' where aggregate_id = '12' and version = 2;
        update public.events set schema_version = 7 where aggregate_id = '13' and version = 3`)
      const found = await differencesOf(engine)
      expect(found).toMatchObject([
        { key: '12', kind: 'unknown_event' },
        { key: '13', kind: 'unknown_event' },
      ])
      expect(found.map(({ message }) => message)).toEqual([
        'version 2 is a Paused of schema version 1, which no definition knows',
        'version 3 is a Deactivated of schema version 7, which no definition knows',
      ])
    })

    it('finds a change of a row that no event created', async () => {
      await plant(`update public.events set type = 'Changed' where aggregate_id = '12' and version = 1`)
      expect(await differencesOf(engine)).toMatchObject([{ key: '12', kind: 'not_created' }])
    })

    it('finds a second creation and a second removal, where the state is right and the history is not', async () => {
      await plant(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
        select 'Subscription', '12', version + 2, type, data, occurred_at
        from public.events where aggregate_id = '12'`)
      expect(await differencesOf(engine)).toMatchObject([
        {
          key: '12',
          kind: 'created_twice',
          message: 'version 3, Created, creates a row that is there already',
        },
      ])
      await plant(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at) values
        ('Subscription', '13', 5, 'Deleted', '{}', now()), ('Subscription', '13', 6, 'Deleted', '{}', now())`)
      expect(await differencesOf(engine)).toMatchObject([{ key: '12' }, { key: '13', kind: 'not_created' }])
    })

    it('finds a change of a row that an event removed', async () => {
      await plant(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at) values
        ('Subscription', '12', 3, 'Deleted', '{}', now()), ('Subscription', '12', 4, 'Changed', '{}', now())`)
      expect(await differencesOf(engine)).toMatchObject([
        {
          key: '12',
          kind: 'not_created',
          message: 'version 4, Changed, is about a row that no event created',
        },
      ])
    })

    it('reports a text that is no value of its column as unreadable, with column and words, and checks the rest', async () => {
      await plant(`update public.events set data = data || '{"user_id": "abc"}' where aggregate_id = '12' and version = 1;
        update public.events set data = '{"status": "paused"}' where aggregate_id = '13' and version = 4`)
      const found = await differencesOf(engine)
      expect(found).toMatchObject([
        {
          key: '12',
          kind: 'unreadable',
          columns: [{ column: 'user_id', row: '123', events: 'abc', setBy: { version: 1 } }],
        },
        { key: '13', kind: 'unreadable', columns: [{ column: 'status', row: 'unpaid', events: 'paused' }] },
      ])
      expect(found[0]?.message).toContain('user_id: invalid input syntax for type bigint')
    })

    it('reports an id that is no key as unreadable', async () => {
      await plant(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
        values ('Subscription', 'twelve', 1, 'Created', '{}', now())`)
      expect(await differencesOf(engine)).toMatchObject([{ key: 'twelve', kind: 'unreadable', columns: [] }])
    })

    it('takes data that is no object for nothing said', async () => {
      await plant(
        `update public.events set data = '["stripe_key", 1]' where aggregate_id = '12' and version = 2`,
      )
      expect(await differencesOf(engine)).toMatchObject([
        { key: '12', kind: 'row_differs', columns: [{ column: 'stripe_key', events: null }] },
      ])
    })

    it('agrees where an event spells an equal value by hand', async () => {
      await plant(`update public.events set data = '{"user_id": "123", "reward_id": " 234 ", "payment_source_key": "pm_1"}'
        where aggregate_id = '12' and version = 1`)
      expect((await run(engine)).table.clean).toBe(true)
    })

    it('counts all differences and tells as many as asked for', async () => {
      await db.admin.query('update public.subscriptions set user_id = 0')
      const { table, differences } = await run(engine, { detailLimit: 1 })
      expect(table.differences).toBe('2')
      expect(differences).toHaveLength(1)
    })

    it('tells names without values where only keys are asked for', async () => {
      await db.admin.query(`update public.subscriptions set stripe_key = 'secret' where id = 12`)
      await plant(
        `update public.events set data = data || '{"user_id": "secret"}' where aggregate_id = '13' and version = 1`,
      )
      const result = await run(engine, { keysOnly: true })
      expect(result.differences.map(({ columns }) => columns.map(({ column }) => column))).toEqual([
        ['stripe_key'],
        ['user_id'],
      ])
      expect(JSON.stringify(result)).not.toContain('secret')
    })
  })

  it('keeps a difference until it is gone, and says who looked', async () => {
    const open = async () =>
      (
        await db.admin.query(
          'select key, kind, columns from eventward.mismatches where resolved_at is null order by key',
        )
      ).rows
    await run('sql')
    expect(await open()).toEqual([])
    await db.admin.query('update public.subscriptions set user_id = 0')
    const { table } = await run('sql')
    expect((await open()).map(({ key, kind }) => [key, kind])).toEqual([
      ['12', 'row_differs'],
      ['13', 'row_differs'],
    ])
    expect(
      (
        await db.admin.query(
          `select state, outcome->>'result' as result from eventward.runs where id = ${table.run}`,
        )
      ).rows,
    ).toEqual([{ state: 'complete', result: 'failed' }])
    await db.admin.query('update public.subscriptions set user_id = 123 where id = 12')
    const again = await run('replay', { open: true })
    expect(again.table).toMatchObject({ differences: '1', streams: '2', clean: false })
    expect((await open()).map(({ key }) => key)).toEqual(['13'])
    await db.admin.query('update public.subscriptions set user_id = 345 where id = 13')
    await run('sql')
    expect(await open()).toEqual([])
  })

  it('says plainly where nothing was backfilled', async () => {
    await plant('delete from public.events')
    const { table } = await run('sql')
    expect(table).toMatchObject({ clean: false, rows: '2', differences: '2' })
    expect(table.notice).toContain('nothing is backfilled yet')
  })

  it('stops when told to, and leaves a receipt', async () => {
    const stop = new AbortController()
    stop.abort()
    await expect(run('sql', { signal: stop.signal })).rejects.toMatchObject({ code: 'EW_STOPPED' })
    const { rows } = await db.admin.query('select state from eventward.runs order by id desc limit 1')
    expect(rows).toEqual([{ state: 'stopped' }])
  })
})

const METADATA = `'{"source": "backfill", "writer": "eventward/0"}'`

const SEED_EVENTS = `
  insert into public.events (aggregate_type, aggregate_id, version, type, data, metadata, occurred_at) values
    ('Subscription', '12', 1, 'Created', '{"user_id": 123, "reward_id": 234, "payment_source_key": "pm_1"}', ${METADATA}, '2018-02-01Z'),
    ('Subscription', '12', 2, 'Activated', '{"stripe_key": "sub_66123"}', ${METADATA}, '2018-02-01Z'),
    ('Subscription', '13', 1, 'Created', '{"user_id": 345, "reward_id": 234, "payment_source_key": "pm_2"}', ${METADATA}, '2018-02-02Z'),
    ('Subscription', '13', 2, 'Activated', '{"stripe_key": "sub_66134"}', ${METADATA}, '2018-02-02Z'),
    ('Subscription', '13', 3, 'Deactivated', '{}', ${METADATA}, '2018-04-06Z'),
    ('Subscription', '13', 4, 'Changed', '{"status": "unpaid"}', ${METADATA}, '2018-04-06Z');
`
