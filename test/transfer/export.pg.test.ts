import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { exportEvents } from '../../src/transfer/index.js'
import { appendAsCaptured } from '../support/capture.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'
import { youngestTransaction } from '../support/youngest.js'

describe('an export', () => {
  const db = testDatabase()
  let folder = ''
  const path = (name: string) => join(folder, name)
  const linesOf = async (name: string) => (await readFile(path(name), 'utf8')).trimEnd().split('\n')
  const positionsIn = (lines: readonly string[]) =>
    lines.flatMap((line) => /^\{"position":"(\d+)"/.exec(line)?.[1] ?? [])

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eventward-transfer-'))
    await db.admin.query(createSubscriptions)
    await db.admin.query(insertSubscriptions)
    await db.admin.query(`
      insert into public.subscriptions
      select n, n, 9007199254740993, 'pm_' || n, 'active', 'sub_' || n, '2018-02-01', '2018-02-02', null
      from generate_series(100, 119) n`)
    await backfill(db.database, Subscription)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('is a header, a line for each event in order of position, and an end that counts them', async () => {
    const result = await exportEvents(db.database, [Subscription], { out: path('whole') })
    const [header = '', ...lines] = await linesOf('whole')
    const footer = lines.pop() ?? ''
    const { rows } = await db.admin.query('select position, data from public.events order by position')
    expect(positionsIn(lines)).toEqual(rows.map(({ position }) => position))
    // The very text: no number went through JavaScript.
    expect(lines.every((line, at) => line.endsWith(`"data":${rows[at]?.data}}`))).toBe(true)
    expect(lines.join()).toContain('"reward_id": 9007199254740993')
    expect(JSON.parse(header)).toMatchObject({
      eventward: 'export',
      format: 1,
      aggregates: [{ table: 'subscriptions' }],
    })
    expect(JSON.parse(footer)).toEqual({
      end: true,
      events: String(rows.length),
      last: rows.at(-1)?.position,
      sha256: result.sha256,
    })
    expect(result).toMatchObject({ events: String(rows.length), resumed: false })
  })

  it('that was stopped goes on where its file ends, under what its first snapshot saw', async () => {
    // Draws a position below all that follow, and commits after the export was begun.
    const late = await db.client()
    await late.query('begin')
    await appendAsCaptured(late, { id: '900', version: 1, type: 'Changed', data: '{"stripe_key": "late"}' })
    await appendAsCaptured(db.admin, {
      id: '901',
      version: 1,
      type: 'Changed',
      data: '{"stripe_key": "early"}',
    })
    const clean = await exportEvents(db.database, [Subscription], { out: path('clean') })

    const stop = new AbortController()
    const options = { out: path('stopped'), pageSize: 7 }
    const stopped = exportEvents(db.database, [Subscription], {
      ...options,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    })
    await expect(stopped).rejects.toMatchObject({ code: 'EW_STOPPED' })
    await late.query('commit')
    await appendAsCaptured(db.admin, {
      id: '901',
      version: 2,
      type: 'Changed',
      data: '{"stripe_key": "after"}',
    })
    await writeFile(path('stopped'), '{"position":"99', { flag: 'a' }) // a line that was being written

    const result = await exportEvents(db.database, [Subscription], { ...options, resume: true })
    const events = (await linesOf('stopped')).slice(1, -1)
    expect(result).toMatchObject({ resumed: true, events: clean.events })
    expect(events).toEqual((await linesOf('clean')).slice(1, -1))
    expect(events.join()).not.toContain('late')
    // Whole, it's whole for whoever runs it once more.
    expect(await exportEvents(db.database, [Subscription], { ...options, resume: true })).toMatchObject({
      events: clean.events,
      sha256: result.sha256,
    })
  })

  it('goes to a stream as well, of what an earlier one did not see, commits out of order among it', async () => {
    const out = new PassThrough()
    const chunks: Buffer[] = []
    out.on('data', (chunk: Buffer) => chunks.push(chunk))
    await exportEvents(db.database, [Subscription], { out, since: path('clean') })
    const { rows } = await db.admin.query(
      'select position from public.events where position > $1::bigint or data::text ~ $2 order by position',
      [positionsIn(await linesOf('clean')).at(-1), '"late"'],
    )
    expect(rows).toHaveLength(2)
    expect(positionsIn(Buffer.concat(chunks).toString().split('\n'))).toEqual(
      rows.map(({ position }) => position),
    )
  })

  it('leaves the youngest transaction, at whose id its snapshot ends, to the next one', async () => {
    const older = await db.client()
    await older.query('begin; select pg_current_xact_id()')
    const append = (client: pg.ClientBase, id: string) =>
      appendAsCaptured(client, { id, version: 1, type: 'Changed', data: '{"stripe_key": "young"}' })
    const young = await youngestTransaction(db, 'select pg_current_xact_id()')
    await append(young, '910')
    await append(older, '911')
    await older.query('commit')
    const out = path('young')
    // Ends while the pages are read.
    const onProgress = () => void young.query('commit')
    await exportEvents(db.database, [Subscription], { out, pageSize: 5, onProgress })
    const later = path('later')
    await exportEvents(db.database, [Subscription], { out: later, since: out })
    const holds = async (name: string) => (await linesOf(name)).join().match(/"id":"91."/g)
    expect([await holds('young'), await holds('later')]).toEqual([['"id":"911"'], ['"id":"910"']])
  })

  it('never writes over a file, nor goes on with one of another kind', async () => {
    const run = (name: string, options = {}) =>
      exportEvents(db.database, [Subscription], { out: path(name), ...options })
    await expect(run('whole')).rejects.toMatchObject({ code: 'EW_EXPORT_EXISTS' })
    await expect(
      run('whole', { resume: true, masks: { subscriptions: { stripe_key: 'null' } } }),
    ).rejects.toMatchObject({ code: 'EW_EXPORT_OTHER' })
    await expect(run('whole', { resume: true, since: path('clean') })).rejects.toMatchObject({
      code: 'EW_EXPORT_OTHER',
    })
    await writeFile(path('foreign'), 'id,name\n1,a\n')
    await expect(run('foreign', { resume: true })).rejects.toMatchObject({ code: 'EW_EXPORT_UNREADABLE' })
    await writeFile(path('changed'), (await readFile(path('whole'), 'utf8')).replace('sub_105', 'sub_106'))
    await expect(run('changed', { resume: true })).rejects.toMatchObject({
      code: 'EW_EXPORT_UNREADABLE',
      message: expect.stringContaining('damaged'),
    })
    await truncate(path('changed'), 40)
    await expect(run('changed', { resume: true })).rejects.toMatchObject({ code: 'EW_EXPORT_UNREADABLE' })
  })

  it('ends without an end where its events were archived meanwhile', async () => {
    const stop = new AbortController()
    const out = path('archived')
    const begun = exportEvents(db.database, [Subscription], {
      out,
      pageSize: 5,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    })
    await expect(begun).rejects.toMatchObject({ code: 'EW_STOPPED' })
    await backfill(db.database, Subscription, { restart: true, confirm: 'subscriptions' })
    await expect(
      exportEvents(db.database, [Subscription], { out, pageSize: 5, resume: true }),
    ).rejects.toMatchObject({
      code: 'EW_EXPORT_MOVED',
    })
    expect(await readFile(out, 'utf8')).not.toContain('{"end"')
  })
})
