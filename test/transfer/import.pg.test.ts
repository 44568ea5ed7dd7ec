import { createReadStream } from 'node:fs'
import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { captureOn } from '../../src/capture/index.js'
import { exportEvents, importEvents } from '../../src/transfer/index.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'
import { eventsOf, expectVerified, rowsOf } from './staging.js'

describe('an import', () => {
  const source = testDatabase()
  const staging = testDatabase()
  let folder = ''
  const path = (name: string) => join(folder, name)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eventward-transfer-'))
    for (const db of [source, staging]) await db.admin.query(createSubscriptions)
    await source.admin.query(insertSubscriptions)
    await source.admin.query(`
      insert into public.subscriptions
      select n, n, 9007199254740993, 'pm_' || n, 'active', 'sub_' || n, '2018-02-01', '2018-02-02', null
      from generate_series(100, 119) n`)
    await captureOn(source.database, Subscription)
    await backfill(source.database, Subscription)
    // A position that no event bears: the new ones are other numbers in the same order.
    await source.admin.query(`select nextval('public.events_position_seq')`)
    await source.admin.query(`
      update public.subscriptions set status = 'inactive', deactivated_at = '2020-01-01' where id > 110;
      update public.subscriptions set stripe_key = null where id in (101, 111);
      delete from public.subscriptions where id in (103, 119);
      insert into public.subscriptions values (103, 1, 1, null, 'unpaid', null, '2021-01-01', null, null)`)
    await exportEvents(source.database, [Subscription], { out: path('all') })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const run = (name = 'all', options = {}) =>
    importEvents(staging.database, [Subscription], { from: path(name), pageSize: 7, ...options })

  it('refuses a file that is cut, changed or no whole one before it changes anything', async () => {
    const text = await readFile(path('all'), 'utf8')
    await copyFile(path('all'), path('cut'))
    await truncate(path('cut'), text.length - 300)
    await writeFile(path('changed'), text.replace('sub_104', 'sub_105'))
    await writeFile(path('line-lost'), text.replace(/\n[^\n]*sub_104[^\n]*/, ''))
    await writeFile(path('more'), `${text}{}\n`)
    await writeFile(
      path('bytes'),
      Buffer.concat([Buffer.from(text.slice(0, 900)), Buffer.from([0xff]), Buffer.from('\n')]),
    )
    for (const name of ['cut', 'changed', 'line-lost', 'more', 'bytes', 'nowhere'])
      await expect(run(name), name).rejects.toMatchObject({ code: 'EW_EXPORT_UNREADABLE' })
    await exportEvents(source.database, [Subscription], { out: path('since'), since: path('all') })
    await expect(run('since')).rejects.toMatchObject({ code: 'EW_IMPORT_PARTIAL' })
    expect(await eventsOf(staging.admin)).toEqual([])
    const { rows } = await staging.admin.query(
      'select from eventward.runs union all select from eventward.aggregates',
    )
    expect(rows).toHaveLength(0)
  })

  it('refuses tables that are not as they were, not empty, or have triggers, and a production', async () => {
    const refused = async (sql: string, undo: string, code: string) => {
      await staging.admin.query(sql)
      await expect(run(), sql).rejects.toMatchObject({ code })
      await staging.admin.query(undo)
    }
    await refused(
      'alter table public.subscriptions add column note text',
      'alter table public.subscriptions drop column note',
      'EW_IMPORT_TABLE',
    )
    await refused(insertSubscriptions, 'delete from public.subscriptions', 'EW_IMPORT_NOT_EMPTY')
    await refused(
      `create function public.f() returns trigger language plpgsql as 'begin new.status := null; return new; end';
       create trigger t before insert on public.subscriptions for each row execute function public.f()`,
      'drop function public.f() cascade',
      'EW_IMPORT_TRIGGERS',
    )
    await refused(
      'create rule r as on insert to public.subscriptions do also notify x',
      'drop rule r on public.subscriptions',
      'EW_IMPORT_TRIGGERS',
    )
    await refused(
      `insert into eventward.settings values ('environment', 'production')`,
      `delete from eventward.settings where key = 'environment'`,
      'EW_IMPORT_PRODUCTION',
    )
    await expect(importEvents(staging.database, [], { from: path('all') })).rejects.toMatchObject({
      code: 'EW_IMPORT_AGGREGATE',
    })
    expect(await eventsOf(staging.admin)).toEqual([])
  })

  it('stopped again and again, ends with the events in their order and the very rows', async () => {
    const once = async () => {
      const stop = new AbortController()
      return run('all', { signal: stop.signal, onProgress: () => stop.abort() })
    }
    let stops = 0
    for (;;) {
      const result = await once().catch(({ code }: { code: string }) => code)
      if (result !== 'EW_STOPPED') {
        expect(result).toMatchObject({ resumed: true, tables: [{ table: 'subscriptions', rows: '21' }] })
        break
      }
      stops += 1
    }
    expect(stops).toBeGreaterThan(8)
    expect(await eventsOf(staging.admin)).toEqual(await eventsOf(source.admin))
    expect(await rowsOf(staging.admin, Subscription)).toEqual(await rowsOf(source.admin, Subscription))
    await expectVerified(staging.database, [Subscription])
  })

  it('tells the old position of each event, and that it came by an import', async () => {
    const old = await source.admin.query('select position from public.events order by position')
    const { rows } = await staging.admin.query(
      `select metadata -> 'imported' ->> 'position' as position, metadata ->> 'source' as source
       from public.events e order by e.position`,
    )
    expect(rows).toEqual(old.rows.map(({ position }) => ({ position, source: 'import' })))
  })

  it('run once more changes nothing', async () => {
    const before = await eventsOf(staging.admin)
    expect(await run()).toMatchObject({ resumed: true, tables: [{ rows: '21' }], eventsPerSecond: null })
    expect(await eventsOf(staging.admin)).toEqual(before)
  })

  it('leaves a database that goes on: captured, nothing is left to backfill', async () => {
    await captureOn(staging.database, Subscription)
    expect(await backfill(staging.database, Subscription)).toMatchObject({ events: '0' })
    await staging.admin.query(`update public.subscriptions set stripe_key = 'new' where id = 103`)
    await expectVerified(staging.database, [Subscription])
  })

  it('takes a stream, and is itself exported', async () => {
    const third = testTarget
    await exportEvents(staging.database, [Subscription], { out: path('again') })
    await third.admin.query(createSubscriptions)
    await importEvents(third.database, [Subscription], { from: createReadStream(path('again')) })
    expect(await rowsOf(third.admin, Subscription)).toEqual(await rowsOf(staging.admin, Subscription))
    await expectVerified(third.database, [Subscription])
  })
  const testTarget = testDatabase()
})
