import { beforeEach, describe, expect, it } from 'vitest'
import { adopt } from '../../src/adopt/index.js'
import { backfill } from '../../src/backfill/index.js'
import { captureOff, captureOn, captureStatus } from '../../src/capture/index.js'
import type { LoadedConfig } from '../../src/config/index.js'
import { show } from '../../src/inspect/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { interpose, Killed } from '../support/interpose.js'
import { backendPid, gate, waitUntilBlocked } from '../support/race.js'
import { adopted, defineItems, expectProven, movedItems } from './items.js'

describe('a schema change that is not adopted yet', () => {
  const db = testDatabase()

  it('is named by status and verify, and not repaired row by row', async () => {
    await movedItems(db)
    await db.admin.query(`alter table items add column extra text default 'e'`)
    const items = await defineItems(db)
    const { problems } = await db.database.session((session) => captureStatus(session, items))
    expect(problems).toMatchObject([{ code: 'columns', broken: false, next: 'eventward adopt items' }])
    const { table } = await verify(db.database, items)
    expect(table).toMatchObject({ clean: false, moved: 'extra was added', differences: '5' })
    await expect(verify(db.database, items, { repair: 'now' })).rejects.toMatchObject({
      code: 'EW_ADOPT_FIRST',
      next: expect.stringContaining('eventward adopt items'),
    })
  })

  it('is shown first, without changing anything', async () => {
    const items = await defineItems(db)
    expect(await adopted(db, items, { dryRun: true })).toEqual(['added extra: null -> e'])
    expect((await db.admin.query('select * from eventward.epochs')).rows).toEqual([])
    expect((await verify(db.database, items)).table.clean).toBe(false)
  })

  it('once adopted is named no more', async () => {
    const items = await defineItems(db)
    const result = await adopt(db.database, items)
    expect(result).toMatchObject({ capture: 'replaced', next: 'eventward verify items' })
    const { problems } = await db.database.session((session) => captureStatus(session, items))
    expect(problems).toEqual([])
    expect((await verify(db.database, items)).table).not.toHaveProperty('moved')
    const { rows } = await db.admin.query(`select state, outcome from eventward.runs where command = 'adopt'`)
    expect(rows).toEqual([{ state: 'complete', outcome: '{"result": "adopted"}' }])
  })
})

describe('adopt refuses', () => {
  const db = testDatabase()

  it('a definition that still speaks of a renamed column, and says how to write it', async () => {
    await movedItems(db)
    const before = await defineItems(db)
    await db.admin.query('alter table items rename column qty to amount')
    await expect(adopt(db.database, before)).rejects.toMatchObject({
      code: 'EW_ADOPT_DEFINITION',
      next: expect.stringContaining(`data: { qty: 'amount' }`),
    })
  })

  it('a definition that gives the attribute another name: stored events would lose it', async () => {
    const items = await defineItems(db, { created: ['name', 'amount'] })
    await expect(adopt(db.database, items)).rejects.toMatchObject({ code: 'EW_ADOPT_DEFINITION' })
    const raised = await defineItems(db, { created: ['name', 'amount'], schemaVersion: 2 })
    expect(await adopted(db, raised)).toEqual(['renamed amount: qty -> amount'])
    await db.admin.query(`insert into items (id, name, amount) values (70, 'v2', 3)`)
    await expectProven(db, raised)
  })

  it('to guess what rows got in a column whose default the catalog does not tell', async () => {
    await db.admin.query('alter table items add column token uuid default gen_random_uuid()')
    const items = await defineItems(db, { created: ['name', 'amount'], schemaVersion: 2 })
    await expect(adopt(db.database, items)).rejects.toMatchObject({
      code: 'EW_DEFAULT_UNKNOWN',
      next: expect.stringContaining('eventward adopt items --default token'),
    })
    await expect(adopt(db.database, items, { defaults: { token: 'none' } })).rejects.toMatchObject({
      code: 'EW_CONSTANT',
    })
    await expect(adopt(db.database, items, { defaults: { name: 'x' } })).rejects.toMatchObject({
      code: 'EW_USAGE',
    })
    expect((await db.admin.query(`select * from eventward.epochs where kind = 'added'`)).rows).toEqual([])
  })
})

/** Statements that write bookkeeping, take a lock or put capture on; the functions' own are one step. */
const STEP =
  /eventward\.(runs|row_shapes|aggregates|epochs|captures)\b[\s\S]*(values|set )|lock table|capture_append_\w+"\(|capture_truncate_\w+"\(|install_triggers/

describe('adopt', () => {
  const db = testDatabase()

  beforeEach(async () => {
    await db.admin.query(`
      drop table if exists items cascade;
      do $$ declare p text; begin
        for p in select inhrelid::regclass::text from pg_inherits where inhparent = 'events'::regclass loop
          execute format('alter table events detach partition %s', p);
          execute format('alter table %s rename to %I', p, 'old_' || gen_random_uuid());
        end loop; end $$;
      delete from eventward.captures; delete from eventward.definitions; delete from eventward.aggregates;
      delete from eventward.row_shapes; delete from eventward.epochs; delete from eventward.incomplete;
      delete from eventward.mismatches; delete from eventward.chunks; delete from eventward.runs`)
    await movedItems(db)
  })

  it('killed before any of its statements, and run again, ends where one clean run ends', async () => {
    let steps = Number.POSITIVE_INFINITY
    for (let nth = 1; nth < steps; nth += 1) {
      await db.admin.query(`alter table items add column c${nth} text default 'd${nth}'`)
      const items = await defineItems(db)
      let count = 0
      const dying = interpose(db.database, async (text) => {
        count += STEP.test(text) ? 1 : 0
        if (count === nth) throw new Killed()
      })
      const error = await adopt(dying, items).then(
        () => null,
        (raised: unknown) => raised,
      )
      if (error === null) steps = nth
      else expect(error).toBeInstanceOf(Killed)
      await db.admin.query(`insert into items (id, name) values (${1000 + nth}, 'k')`)
      await adopt(db.database, items)
      await db.admin.query(`update items set c${nth} = null where id = 1`)
      const { table } = await verify(db.database, items)
      expect({ nth, clean: table.clean }).toEqual({ nth, clean: true })
    }
    expect(steps).toBeGreaterThan(9)
    await expectProven(db, await defineItems(db))
  }, 120_000)

  it('run by two at once records each change once', async () => {
    await db.admin.query(
      `alter table items rename column note to remark; alter table items add column extra text default 'e'`,
    )
    const items = await defineItems(db)
    await Promise.all([adopt(db.database, items), adopt(db.database, items)])
    const { rows } = await db.admin.query('select kind, name from eventward.epochs order by kind')
    expect(rows).toEqual([
      { kind: 'added', name: 'extra' },
      { kind: 'renamed', name: 'remark' },
    ])
    await expectProven(db, items)
  })

  it('finds DDL that comes while it decides, and adopts nothing of two halves', async () => {
    await db.admin.query(`alter table items add column extra text default 'e'`)
    const items = await defineItems(db)
    const stop = gate()
    const slow = interpose(db.database, async (text) => {
      if (text.includes('insert into eventward.runs')) await stop.pass()
    })
    const adopting = adopt(slow, items)
    await stop.entered
    await db.admin.query('alter table items add column another integer default 4')
    stop.open()
    await expect(adopting).rejects.toMatchObject({ code: 'EW_TABLE_MOVED' })
    expect((await db.admin.query('select * from eventward.epochs')).rows).toEqual([])
    const both = await defineItems(db)
    expect(await adopted(db, both)).toEqual(['added extra: null -> e', 'added another: null -> 4'])
    await expectProven(db, both)
  })

  it('waits out a writer that is at work, and reads what it wrote', async () => {
    await db.admin.query(`alter table items rename column note to remark`)
    const items = await defineItems(db)
    const writer = await db.client()
    await writer.query('begin')
    await writer.query(`update items set remark = 'at work' where id = 3`)
    const adopting = adopt(db.database, items, { lockTimeoutMs: 2_000 })
    const { rows } = await waiting()
    await waitUntilBlocked(db.admin, rows[0]?.pid ?? '', await backendPid(writer))
    await writer.query('commit')
    expect((await adopting).capture).toBe('replaced')
    await expectProven(db, items)
  })

  const waiting = async () => {
    for (;;) {
      const found = await db.admin.query<{ pid: string }>(
        `select pid from pg_locks where relation = 'items'::regclass and not granted`,
      )
      if (found.rows.length > 0) return found
    }
  }

  it('reads events right that were written while a name was another for a time', async () => {
    await db.admin.query('alter table items rename column note to remark')
    await db.admin.query(
      `update items set remark = 'meanwhile' where id in (1, 3); insert into items (id, name, remark) values (40, 'm', 'r')`,
    )
    await db.admin.query('alter table items rename column remark to note')
    const items = await defineItems(db)
    expect((await verify(db.database, items)).table.clean).toBe(false)
    expect((await adopt(db.database, items)).columns).toEqual([])
    await expectProven(db, items)
    await adopt(db.database, items)
    expect((await db.admin.query('select kind from eventward.epochs')).rows).toEqual([{ kind: 'restored' }])
  })

  it('warns of names that changed hands: what a new session wrote meanwhile is found, and repaired', async () => {
    await db.admin.query(`alter table items add column remark text`)
    await adopt(db.database, await defineItems(db))
    await db.admin.query(`alter table items rename column note to tmp`)
    await db.admin.query(
      `alter table items rename column remark to note; alter table items rename column tmp to remark`,
    )
    const writer = await db.client()
    await writer.query(`update items set note = 'mine' where id = 3`)
    const items = await defineItems(db)
    expect((await adopt(db.database, items)).notices).toEqual([expect.stringContaining('changed hands')])
    const { repairs, table } = await verify(db.database, items, { repair: 'now' })
    expect(repairs).toMatchObject([{ key: '3', kind: 'row_differs', outcome: 'repaired' }])
    expect(table.clean).toBe(true)
    await expectProven(db, items)
  })

  it('ends a verify that reads events as they were read before', async () => {
    await db.admin.query(`alter table items add column extra text default 'e'`)
    const items = await defineItems(db)
    let ranges = 0
    const between = interpose(db.database, async (text) => {
      ranges += text.includes('in access share mode') ? 1 : 0
      if (ranges === 3 && text.includes('in access share mode')) await adopt(db.database, items)
    })
    await expect(verify(between, items, { chunkSize: 2, workers: 1 })).rejects.toMatchObject({
      code: 'EW_VERIFY_MOVED',
    })
    await expectProven(db, items)
  })

  it('takes one change after the other', async () => {
    const steps = [
      `alter table items add column extra text default 'e'`,
      'alter table items rename column extra to more',
      `alter table items rename column more to most; alter table items add column more integer default 3`,
      'alter table items drop column most',
      'alter table items alter column more type bigint',
    ]
    for (const [n, step] of steps.entries()) {
      for (const statement of step.split(';')) await db.admin.query(statement)
      await db.admin.query(
        `insert into items (id, name) values (${200 + n}, 's'); update items set place = 's${n}' where id = 1`,
      )
      const items = await defineItems(db)
      await adopt(db.database, items)
      await db.admin.query(
        `insert into items (id, name) values (${300 + n}, 's'); update items set place = 't${n}' where id = 10`,
      )
      await expectProven(db, items)
    }
  })

  it('of several changes at once needs no step between', async () => {
    for (const statement of [
      `alter table items add column extra text default 'e'`,
      `update items set extra = 'f' where id = 1`,
      'alter table items rename column extra to more',
      `update items set more = 'g' where id = 3`,
      `insert into items (id, name, more) values (90, 'x', 'h')`,
      `alter table items rename column more to most`,
      `alter table items add column more integer default 3`,
      `insert into items (id, name, most, more) values (91, 'y', 'i', 4)`,
    ])
      await db.admin.query(statement)
    const items = await defineItems(db)
    expect(await adopted(db, items)).toEqual(['added most: null -> e', 'added more: null -> 3'])
    await expectProven(db, items)
  })

  it('serves a table that is not captured, and its next backfill', async () => {
    await captureOff(db.database, await defineItems(db))
    await db.admin.query(
      `alter table items add column extra text default 'e'; alter table items rename column note to remark`,
    )
    const items = await defineItems(db)
    expect((await adopt(db.database, items)).capture).toBe('off')
    await expectProven(db, items)
    await db.admin.query(`insert into items (id, name, extra) values (95, 'z', 'own')`)
    await captureOn(db.database, items)
    await backfill(db.database, items)
    await expectProven(db, items)
  })

  it('lets the time machine speak of older versions in the present names', async () => {
    await db.admin.query('alter table items rename column note to remark; alter table items drop column qty')
    const items = await defineItems(db, { created: ['name'] })
    await adopt(db.database, items)
    const config: LoadedConfig = {
      path: '/eventward.config.ts',
      connection: null,
      knexfile: null,
      schemas: ['public'],
      events: { schema: 'public', table: 'events' },
      aggregates: [items],
      freshnessSeconds: 3_600,
      lockTimeoutMs: 400,
    }
    const { row } = await show(db.database, config, { aggregate: 'Item', id: '10', at: '1' })
    expect(row).toMatchObject({ remark: 'n', name: 'j' })
    expect(Object.keys(row ?? {})).not.toContain('qty')
  })
})
