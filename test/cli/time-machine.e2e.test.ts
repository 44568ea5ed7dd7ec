import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions } from '../support/subscription.js'
import { cli as inProcess } from './run-cli.js'

describe('time-machine on the command line', () => {
  const db = testDatabase()
  const cli = cliIn(() => db.url)
  const text = async (...args: readonly string[]) =>
    inProcess(args, { cwd: cli.cwd, env: { ...process.env, DATABASE_URL: db.url } })

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(insertSubscriptions)
    expect((await cli.json('init', '--yes')).status).toBe(0)
  })

  it('says that events must mean something first', async () => {
    const { status, document } = await cli.json('time-machine', 'on')
    expect({ status, error: document.error }).toMatchObject({
      status: 2,
      error: { code: 'EW_TIME_MACHINE_UNREGISTERED', next: expect.stringContaining('eventward backfill') },
    })
  })

  it('makes the function, says how it is, and how to call it', async () => {
    for (const args of [['capture', 'on', '--all'], ['backfill']])
      expect((await cli.json(...args)).status).toBe(0)
    const made = await text('time-machine', 'on', 'subscriptions')
    expect(made.status).toBe(0)
    expect(made.stdout).toBe(
      [
        '✓ subscriptions: eventward.subscriptions_as_of(timestamptz)',
        '  as text: status',
        `select * from eventward.subscriptions_as_of('2018-03-01')`,
        '',
      ].join('\n'),
    )
    expect((await cli.json('time-machine', 'status')).document).toMatchObject({
      ok: true,
      tables: [
        {
          table: 'subscriptions',
          aggregate: 'Subscription',
          function: 'eventward.subscriptions_as_of',
          state: 'on',
        },
      ],
    })
  })

  it('is made anew by adopt, which says so where a view keeps it from that', async () => {
    await db.admin.query(`alter table public.subscriptions add column origin text`)
    const adopt = async () => {
      expect((await cli.json('generate')).status).toBe(0)
      return (await cli.json('adopt', 'subscriptions')).document.tables[0]
    }
    expect(await adopt()).toMatchObject({ notices: [] })
    const { rows } = await db.admin.query(
      `select origin from eventward.subscriptions_as_of('infinity') where id = 12`,
    )
    expect(rows).toEqual([{ origin: null }])

    await db.admin.query(`
      create view public.report as select id from eventward.subscriptions_as_of('infinity');
      alter table public.subscriptions add column more text`)
    expect(await adopt()).toMatchObject({
      notices: [
        expect.stringMatching(
          /can't be dropped: view public\.report stands on it\. Drop view public\.report/,
        ),
      ],
    })
    const status = await text('time-machine', 'status')
    expect(status.stdout).toMatch(/! subscriptions: eventward\.subscriptions_as_of is of older columns/)
    expect(await cli.json('time-machine', 'on')).toMatchObject({
      status: 1,
      document: {
        error: { code: 'EW_TIME_MACHINE_USED' },
        tables: [{ error: { code: 'EW_TIME_MACHINE_USED' } }],
      },
    })
    await db.admin.query('drop view public.report')
    expect((await cli.json('time-machine', 'on')).document.tables).toMatchObject([{ change: 'replaced' }])
    expect((await cli.json('time-machine', 'off')).document.tables).toMatchObject([
      { state: 'off', change: 'dropped' },
    ])
  })

  it('leaves out a table whose events need code, unless that is the one that was named', async () => {
    const path = join(cli.cwd, 'eventward.config.ts')
    const config = await readFile(path, 'utf8')
    const facts = `Noted: { facts: { by: { '~standard': { version: 1, vendor: 'x', validate: (value) => ({ value }) } } } },`
    expect(config).toMatch(/Activated: \{[\s\S]*\n {2}\},\n/)
    await writeFile(
      path,
      config
        .replace('Activated: {', `${facts}\n    Activated: {`)
        .replace(/\n {2}\},\n\}\)/, '\n  },\n  apply: { Noted: () => ({ origin: null }) },\n})'),
    )
    expect(await cli.json('time-machine', 'on')).toMatchObject({
      status: 0,
      document: { ok: true, tables: [{ error: { code: 'EW_TIME_MACHINE_CODE' } }] },
    })
    expect(await cli.json('time-machine', 'on', 'subscriptions')).toMatchObject({
      status: 2,
      document: {
        ok: false,
        error: { code: 'EW_TIME_MACHINE_CODE', next: expect.stringContaining('eventward show') },
      },
    })
  })
})
