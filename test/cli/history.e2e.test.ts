import { Writable } from 'node:stream'
import { beforeAll, describe, expect, it } from 'vitest'
import { longOutput } from '../../cli/long-output.js'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions } from '../support/subscription.js'
import { cli as inProcess } from './run-cli.js'

describe('history on the command line', () => {
  const db = testDatabase()
  const cli = cliIn(() => db.url)

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(insertSubscriptions)
    for (const args of [['init', '--yes'], ['backfill']]) expect((await cli.json(...args)).status).toBe(0)
    await db.admin.query(`
      insert into public.events (aggregate_type, aggregate_id, version, type, schema_version, data, metadata, occurred_at)
      values ('Subscription', '12', 3, 'Changed', 1, '{"status": "inactive"}', '{"actor": "ada\\n", "inferred": true}', '2018-05-01')`)
  })

  it('prints each event with who, why and when', async () => {
    const env = { ...process.env, DATABASE_URL: db.url }
    const { stdout, status } = await inProcess(['history', 'Subscription', '12'], { cwd: cli.cwd, env })
    expect(status).toBe(0)
    expect(stdout).toMatch(
      /^Subscription 12 · subscriptions · 3 events\n\nv1 {2}Created {2}2018-02-01 00:00:00Z\n/,
    )
    expect(stdout).toContain(
      'v3  ! Changed  2018-05-01 00:00:00Z (inferred)\n    status    active → inactive\n',
    )
    expect(stdout).toContain(`who       "ada\\n"\n`)
    expect(stdout).toContain('why       no event of the definition explains it')
    expect(stdout).toMatch(/worked out from the row[\s\S]*recorded {2}\d{4}-.*Z\n/)
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('eventward show Subscription 12 --at 2')
  })

  it('prints one document with the same members as ever', async () => {
    const { document, status } = await cli.json('history', 'Subscription', '12', '--last', '1')
    expect(status).toBe(0)
    expect(document).toMatchObject({
      v: 1,
      command: 'history',
      ok: true,
      aggregate: 'Subscription',
      table: 'subscriptions',
      id: '12',
      lastVersion: 3,
      entries: [
        {
          version: 3,
          type: 'Changed',
          residue: true,
          inferred: true,
          data: '{"status": "inactive"}',
          changed: [{ column: 'status', before: 'active', after: 'inactive' }],
          metadata: { actor: 'ada\n' },
        },
      ],
    })
  })

  it('is one document as well where there is nothing to print', async () => {
    const { document, status } = await cli.json('history', 'Subscription', '99')
    expect(status).toBe(2)
    expect(document).toMatchObject({ v: 1, ok: false, error: { code: 'EW_STREAM_UNKNOWN' } })
  })
})

describe('output of any length', () => {
  const opening = { members: { id: '1' }, list: 'entries', text: 'head' }

  function slow() {
    const chunks: string[] = []
    const waiting: (() => void)[] = []
    const stdout = new Writable({
      highWaterMark: 1,
      write(chunk, _encoding, done) {
        chunks.push(String(chunk))
        waiting.push(() => done())
      },
    })
    return {
      stdout,
      text: () => chunks.join(''),
      release: () => {
        for (const next of waiting.splice(0)) next()
      },
    }
  }

  it('is one document though its command fails in the middle', async () => {
    const chunks: string[] = []
    const stdout = new Writable({
      write(chunk, _, done) {
        chunks.push(String(chunk))
        done()
      },
    })
    const long = longOutput('history', { stdout, json: true, signal: new AbortController().signal })
    await long.begin(opening)
    await long.item({ version: 1 }, () => '')
    await long.item({ version: 2 }, () => '')
    long.end({ ok: false, error: { code: 'EW_UPCAST' } }, '')
    expect(JSON.parse(chunks.join(''))).toEqual({
      v: 1,
      command: 'history',
      id: '1',
      entries: [{ version: 1 }, { version: 2 }],
      ok: false,
      error: { code: 'EW_UPCAST' },
    })
  })

  it('waits for a slow reader, and goes on when it has read', async () => {
    const reader = slow()
    const long = longOutput('history', {
      stdout: reader.stdout,
      json: false,
      signal: new AbortController().signal,
    })
    const begun = long.begin(opening)
    expect(await Promise.race([begun.then(() => 'on'), Promise.resolve('waits')])).toBe('waits')
    reader.release()
    await begun
    const item = long.item(1, () => 'one')
    reader.release()
    expect(await item).toBe(true)
    expect(reader.text()).toBe('head\n\none\n')
  })

  it('ends where its reader is gone, or it is stopped, instead of waiting for ever', async () => {
    const gone = slow()
    const long = longOutput('history', {
      stdout: gone.stdout,
      json: false,
      signal: new AbortController().signal,
    })
    const begun = long.begin(opening)
    gone.stdout.on('error', () => undefined)
    gone.stdout.destroy(Object.assign(new RangeError('write EPIPE'), { code: 'EPIPE' }))
    await begun
    expect(await long.item(1, () => 'one')).toBe(false)

    const stop = new AbortController()
    const stopped = longOutput('history', { stdout: slow().stdout, json: false, signal: stop.signal })
    const waiting = stopped.begin(opening)
    stop.abort()
    await waiting
    await expect(stopped.item(1, () => 'one')).rejects.toMatchObject({ code: 'EW_STOPPED' })
  })
})
