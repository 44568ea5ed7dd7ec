import { beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { captureOn } from '../../src/capture/index.js'
import { defineAggregate, defineTable, type Integer } from '../../src/definition/index.js'
import { doctor } from '../../src/inspect/index.js'
import { timeMachineOff, timeMachineOn, timeMachineStatus } from '../../src/timemachine/index.js'
import { text } from '../support/account.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'
import { compareAsOf } from './compare-as-of.js'

describe("the slide's table as of a time", () => {
  const db = testDatabase()
  const asOf = async (time: string) =>
    (
      await db.admin.query(
        `select id, status, stripe_key from eventward.subscriptions_as_of($1::timestamptz) order by id`,
        [time],
      )
    ).rows

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(insertSubscriptions)
    await backfill(db.database, Subscription)
    await captureOn(db.database, Subscription)
  })

  it('is what it was on that day', async () => {
    const made = await db.database.session((session) => timeMachineOn(session, Subscription))
    expect(made).toEqual({
      table: 'subscriptions',
      aggregate: 'Subscription',
      function: 'eventward.subscriptions_as_of',
      state: 'on',
      asText: ['status'],
      change: 'made',
    })
    expect(await asOf('2018-01-31')).toEqual([])
    expect(await asOf('2018-02-01')).toEqual([{ id: '12', status: 'active', stripe_key: 'sub_66123' }])
    expect(await asOf('2018-03-01')).toEqual([
      { id: '12', status: 'active', stripe_key: 'sub_66123' },
      { id: '13', status: 'active', stripe_key: 'sub_66134' },
    ])
    // The contradiction of row 13 stands behind what deactivated it, though no column says when it came about.
    expect((await asOf('2018-04-05 23:59:59'))[1]).toMatchObject({ id: '13', status: 'active' })
    expect((await asOf('2018-04-06'))[1]).toMatchObject({ id: '13', status: 'unpaid' })
  })

  it('would show row 13 as it never was, were it filtered by time alone', async () => {
    const { rows } = await db.admin.query(
      `select pg_get_functiondef('eventward.subscriptions_as_of'::regproc) as text`,
    )
    const text = rows[0].text as string
    const naive = text
      .replaceAll('subscriptions_as_of', 'naive_as_of')
      .replace(/pg_catalog\.bool_and\((.*)\) over \([^)]*\)/, '($1)')
    expect(naive).not.toContain(' over ')
    await db.admin.query(naive)
    const shown = await db.admin.query(`select status from eventward.naive_as_of('2018-03-01') where id = 13`)
    expect(shown.rows).toEqual([{ status: 'unpaid' }])
    await db.admin.query('drop function eventward.naive_as_of')
  })

  it('leaves out what was deleted, and shows a key that came back as its new row alone', async () => {
    const clock = async () =>
      (await db.admin.query('select pg_catalog.clock_timestamp()::text as at')).rows[0].at as string
    await db.admin.query(`delete from public.subscriptions where id = 12`)
    const gone = await clock()
    await db.admin.query(`
      insert into public.subscriptions (id, user_id, reward_id, status, created_at)
      values (12, 9, 9, 'unpaid', clock_timestamp())`)
    expect((await asOf(gone)).map(({ id }) => id)).toEqual(['13'])
    expect((await asOf('infinity'))[0]).toEqual({ id: '12', status: 'unpaid', stripe_key: null })
    expect(await compareAsOf(db.database, Subscription, ['2018-03-01', gone, 'infinity'])).toMatchObject({
      differences: [],
      rows: 5,
    })
  })

  it('is the same whatever the settings of who asks', async () => {
    const [expected] = (
      await db.admin.query(`select * from eventward.subscriptions_as_of('2018-03-01 00:00+00')`)
    ).rows
    await db.admin.query('begin')
    await db.admin.query(`
      set local search_path = nowhere; set local timezone = 'Asia/Tokyo'; set local datestyle = 'SQL, DMY';
      set local intervalstyle = 'sql_standard'; set local array_nulls = off; set local standard_conforming_strings = off`)
    const { rows } = await db.admin.query(`
      select *, created_at at time zone 'UTC' = '2018-02-01' as same
      from eventward.subscriptions_as_of('2018-03-01 00:00+00') limit 1`)
    await db.admin.query('rollback')
    expect(rows[0]).toMatchObject({ id: expected.id, status: expected.status, same: 't' })
  })

  it('keeps no one from changing the table: DDL of the application goes through, and the function says that it is behind', async () => {
    await db.admin.query(`
      alter table public.subscriptions alter column status drop default;
      alter table public.subscriptions alter column status type text;
      drop type public.subscription_status;
      alter table public.subscriptions drop column payment_source_key`)
    // What was registered is as it was: as of then, the columns are those of then.
    expect((await asOf('2018-03-01')).length).toBe(2)
    await db.admin.query('drop table public.subscriptions')
    expect((await asOf('2018-03-01')).length).toBe(2)
  })

  it('is dropped again, and there is nothing left', async () => {
    await db.database.session((session) => timeMachineOff(session, Subscription))
    expect(await db.database.session((session) => timeMachineStatus(session, Subscription))).toMatchObject({
      state: 'off',
      function: null,
    })
    await expect(asOf('2018-03-01')).rejects.toMatchObject({ code: '42883' })
  })
})

describe('the function of a table', () => {
  const db = testDatabase()
  const long = 'a'.repeat(60)
  const table = (schema: string, name: string) =>
    defineTable<{ id: Integer; at: string | null }>()({
      schema,
      name,
      key: ['id'],
      columns: { id: { type: 'integer', nullable: false }, at: { type: 'text', nullable: true } },
    })
  const define = (name: string, schema: string, relation: string) =>
    defineAggregate({
      name,
      table: table(schema, relation),
      events: { Created: { creates: true, data: ['at'] } },
    })
  const on = (definition: ReturnType<typeof define>) =>
    db.database.session((session) => timeMachineOn(session, definition))

  beforeAll(async () => {
    await db.admin.query('create schema app; create schema "App"')
    for (const [schema, name] of [
      ['public', 'app_orders'],
      ['app', 'orders'],
      ['App', 'orders'],
      ['public', long],
      ['app', long],
    ] as const) {
      await db.admin.query(`create table "${schema}"."${name}" (id integer primary key, at text)`)
      await db.admin.query(`insert into "${schema}"."${name}" values (1, $$${schema} ${name}$$)`)
    }
  })

  it('has a name of its own, in whatever schema, however long, and a column named as its argument', async () => {
    const given = [
      define('First', 'public', 'app_orders'),
      define('Second', 'app', 'orders'),
      define('Third', 'App', 'orders'),
      define('Fourth', 'public', long),
      define('Fifth', 'app', long),
    ]
    const names: string[] = []
    for (const definition of given) {
      await backfill(db.database, definition)
      const { function: name } = await on(definition)
      names.push(name)
      const { rows } = await db.admin.query(`select at from ${name}('infinity')`)
      expect(rows).toEqual([{ at: `${definition.table.schema} ${definition.table.name}` }])
    }
    expect(new Set(names).size).toBe(5)
    expect(names.slice(0, 3)).toEqual([
      'eventward.app_orders_as_of',
      expect.stringMatching(/^eventward\.app_orders_[0-9a-f]{8}_as_of$/),
      'eventward."App_orders_as_of"',
    ])
    for (const name of names)
      expect(Buffer.byteLength(name.replaceAll('"', '').slice('eventward.'.length))).toBeLessThanOrEqual(63)
  })

  it('is left alone where it is as it should be, and keeps who may call it where it is not', async () => {
    const definition = define('Second', 'app', 'orders')
    expect((await on(definition)).change).toBe('none')
    const { function: name } = await on(definition)
    await db.admin.query(`
      drop role if exists time_reader;
      create role time_reader;
      revoke execute on function ${name} from public;
      grant execute on function ${name} to time_reader;
      alter table app.orders add column more jsonb`)
    const more = defineAggregate({
      name: 'Second',
      table: defineTable<{ id: Integer; at: string | null; more: string | null }>()({
        schema: 'app',
        name: 'orders',
        key: ['id'],
        columns: {
          ...definition.table.columns,
          more: { type: 'jsonb', nullable: true },
        } as never,
      }),
      events: { Created: { creates: true, data: ['at'] } } as never,
    })
    await on(more as never)
    const { rows } = await db.admin.query(`
      select proacl::text as acl from pg_proc where oid = '${name}'::regproc`)
    expect(rows[0].acl).toContain('time_reader=X')
    expect(rows[0].acl).not.toMatch(/[{,]=X/)
    await db.admin.query(`drop owned by time_reader; drop role time_reader`)
  })

  it('says which view keeps it from being made anew, and refuses meanwhile rather than give wrong rows', async () => {
    const definition = define('First', 'public', 'app_orders')
    const { function: name } = await on(definition)
    await db.admin.query(`
      create view public.report as select * from ${name}('infinity');
      insert into eventward.row_shapes (aggregate_type, id, columns) values ('First', 'other', '[]');`)
    const status = () => db.database.session((session) => timeMachineStatus(session, definition))
    expect((await status()).state).toBe('stale')
    const config = {
      schemas: ['public'],
      events: { schema: 'public', table: 'events' },
      aggregates: [definition],
    }
    expect(await doctor(db.database, config as never)).toContainEqual(
      expect.objectContaining({ check: 'time_machine', severity: 'warn', table: 'app_orders' }),
    )
    await expect(db.admin.query('select * from public.report')).rejects.toMatchObject({
      code: 'EW020',
      hint: expect.stringContaining('time-machine on'),
    })
    // The columns are the same: it's replaced under the view.
    expect((await on(definition)).change).toBe('replaced')
    expect((await db.admin.query('select * from public.report')).rows).toHaveLength(1)
    await db.admin.query('alter table public.app_orders add column more text')
    const wider = { ...definition, table: { ...definition.table } }
    await expect(on(wider as never)).rejects.toMatchObject({
      code: 'EW_TIME_MACHINE_USED',
      message: expect.stringContaining('view public.report'),
    })
    expect((await db.admin.query('select * from public.report')).rows).toHaveLength(1)
  })

  it('is made once, whoever makes it at the same time, and of a table as wide as any', async () => {
    const columns = Array.from({ length: 1_200 }, (_, n) => `c${n}`)
    await db.admin.query(`
      create table public.wide (id integer primary key, ${columns.map((name) => `${name} smallint default 1`).join(', ')});
      insert into public.wide (id) values (7)`)
    const wide = defineAggregate({
      name: 'Wide',
      table: defineTable<{ id: Integer }>()({
        schema: 'public',
        name: 'wide',
        key: ['id'],
        columns: {
          id: { type: 'integer', nullable: false },
          ...Object.fromEntries(columns.map((name) => [name, { type: 'smallint', nullable: true }])),
        },
      } as never),
      events: { Created: { creates: true, data: columns } },
    } as never) as never
    await backfill(db.database, wide)
    const made = await Promise.all([1, 2, 3, 4].map(() => on(wide)))
    expect(made.map(({ change }) => change).sort()).toEqual(['made', 'none', 'none', 'none'])
    const { rows } = await db.admin.query(`select id, c0, c1199 from eventward.wide_as_of('infinity')`)
    expect(rows).toEqual([{ id: '7', c0: '1', c1199: '1' }])
  })

  it('is refused where only code knows what an event does, and where nothing is registered yet', async () => {
    const coded = defineAggregate({
      name: 'Second',
      table: table('app', 'orders'),
      events: {
        Created: { creates: true, data: ['at'] },
        Moved: { facts: { to: text } },
      },
      apply: { Moved: () => ({ at: 'x' }) },
    })
    await expect(
      db.database.session((session) => timeMachineOn(session, coded as never)),
    ).rejects.toMatchObject({ code: 'EW_TIME_MACHINE_CODE', message: expect.stringContaining('Moved') })
    await expect(on(define('Sixth', 'app', 'orders'))).rejects.toMatchObject({
      code: 'EW_TIME_MACHINE_UNREGISTERED',
    })
  })
})
