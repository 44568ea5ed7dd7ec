import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions } from '../support/subscription.js'
import { cli, project } from './run-cli.js'

describe('a move by the command line', () => {
  const db = testDatabase({ migrated: false })

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(insertSubscriptions)
    await db.admin.query('create table public.notes (body text)')
  })

  it('goes from a table to a clean verify, and tells a difference by its status', async () => {
    const cwd = await project()
    const env = { DATABASE_URL: db.url }
    const json = async (...argv: readonly string[]) => {
      const { status, document, stderr } = await cli([...argv, '--json'], { cwd, env })
      return { status, stderr, ...document() } as { status: number; stderr: string; ok: boolean } & Record<
        string,
        unknown
      >
    }

    const init = await json('init')
    expect(init).toMatchObject({ status: 0, ok: true })
    expect(init['tables']).toMatchObject([
      { table: 'notes', supported: false, reasons: [{ code: 'EW_KEY_MISSING' }] },
      { table: 'subscriptions', supported: true, events: ['Created', 'Activated', 'Deactivated'] },
    ])
    expect(await readFile(join(cwd, 'eventward.config.ts'), 'utf8')).toContain('defineAggregate')
    expect(await json('generate', '--check')).toMatchObject({ status: 0, changes: [] })

    expect((await json('plan'))['tables']).toMatchObject([
      { table: 'subscriptions', rows: '2', events: '6', estimate: false, next: 'eventward migrate up' },
      { table: 'notes', aggregate: null, supported: false },
    ])
    expect((await json('status'))['tables']).toMatchObject([
      {
        phase: 'legacy',
        capture: 'off',
        backfill: null,
        verify: null,
        residueShare: null,
        openDifferences: null,
      },
    ])
    expect((await json('migrate', 'status'))['events']).toBeNull()
    expect(await json('migrate', 'up')).toMatchObject({ status: 0, direction: 'up' })
    expect((await json('doctor')).status).toBe(0)

    const rehearsal = await json('backfill', '--dry-run')
    expect(rehearsal['tables']).toMatchObject([{ rows: '2', events: '6', dryRun: true, run: null }])
    const early = await json('verify')
    expect(early).toMatchObject({ status: 1, ok: false, error: { code: 'EW_DIFFERENCES' } })
    expect(early['differences']).toMatchObject([{ kind: 'missing_stream' }, { kind: 'missing_stream' }])

    const filled = await json('backfill')
    expect(filled).toMatchObject({ status: 0, next: 'eventward verify subscriptions' })
    expect(filled['tables']).toMatchObject([
      { table: 'subscriptions', rows: '2', streams: '2', events: '6', complete: true },
    ])
    expect((await json('plan', 'subscriptions'))['tables']).toMatchObject([
      { events: '0', next: 'eventward verify subscriptions' },
    ])
    for (const engine of ['sql', 'replay']) {
      const proof = await json('verify', 'public.subscriptions', '--engine', engine)
      expect(proof).toMatchObject({ status: 0, ok: true, differences: [] })
      expect(proof['tables']).toMatchObject([
        {
          table: 'subscriptions',
          engine,
          rows: '2',
          streams: '2',
          events: '6',
          differences: '0',
          clean: true,
        },
      ])
    }
    expect((await json('status'))['tables']).toMatchObject([
      {
        backfill: { complete: true, percent: 100, rows: '2', events: '6' },
        verify: { clean: true, engine: 'replay' },
        openDifferences: '0',
        next: 'eventward capture on subscriptions',
      },
    ])

    await db.admin.query("update public.subscriptions set stripe_key = 'sub_forged' where id = 13")
    const found = await json('verify')
    expect(found).toMatchObject({ status: 1, ok: false, error: { code: 'EW_DIFFERENCES' } })
    expect(found['differences']).toMatchObject([
      {
        table: 'subscriptions',
        key: '13',
        kind: 'row_differs',
        columns: [{ column: 'stripe_key', row: 'sub_forged', events: 'sub_66134' }],
      },
    ])
    const hidden = await json('verify', '--keys-only')
    expect(hidden.status).toBe(1)
    expect(JSON.stringify(hidden)).not.toMatch(/sub_forged|sub_66134/)
    expect(JSON.stringify(hidden)).toContain('stripe_key')

    const shown = await cli(['verify'], { cwd, env })
    expect(shown.status).toBe(1)
    expect(shown.stdout).toContain('-  stripe_key: "sub_forged"')
    expect(shown.stdout).toContain('+  stripe_key: "sub_66134"')
    expect(shown.stderr).toMatch(/EW_DIFFERENCES subscriptions: 1 difference\. .*--open/)
    expect((await json('status'))['tables']).toMatchObject([{ openDifferences: '1' }])

    await db.admin.query("update public.subscriptions set stripe_key = 'sub_66134' where id = 13")
    expect((await json('verify', '--open')).status).toBe(0)
    expect((await json('runs', '--limit', '3'))['runs']).toMatchObject([
      { command: 'verify', state: 'complete', params: { open: true } },
      { command: 'verify' },
      { command: 'verify' },
    ])

    // Our own tables are none of the application's.
    const before = await readFile(join(cwd, 'eventward.tables.ts'), 'utf8')
    expect(await json('generate')).toMatchObject({ status: 0, outcome: 'same' })
    expect(await json('init')).toMatchObject({
      status: 0,
      tables: [{ table: 'notes' }, { table: 'subscriptions' }],
    })
    expect(await readFile(join(cwd, 'eventward.tables.ts'), 'utf8')).toBe(before)

    // Events are kept: the schema is not taken back over them.
    const down = await json('migrate', 'down', '--all')
    expect(down.status).toBe(3)
    expect((await json('migrate', 'status'))['events']).toEqual({ schema: 'public', table: 'events' })
  })

  it('names the column that moved in the catalog', async () => {
    const cwd = await project()
    const env = { DATABASE_URL: db.url }
    await cli(['init'], { cwd, env })
    await db.admin.query('alter table public.subscriptions add column note text')
    const { status, stdout, stderr } = await cli(['generate', '--check'], { cwd, env })
    expect(status).toBe(1)
    expect(stdout).toContain('subscriptions.note')
    expect(stderr).toContain('EW_TABLES_MOVED')
    await db.admin.query('alter table public.subscriptions drop column note')
  })

  it('keeps what it found about the tables before one that fails, and prints their values as they are', async () => {
    const cwd = await project()
    const env = { DATABASE_URL: db.url }
    await db.admin.query(`
      create table public.first (id text primary key);
      insert into public.first values ('http://user:word@host');
      create table public.second (id integer primary key)`)
    expect((await cli(['init', '--tables', 'first,second', '--yes'], { cwd, env })).status).toBe(0)
    await db.admin.query('drop table public.second')
    const { status, document } = await cli(['verify', '--json'], { cwd, env })
    expect(status).toBe(2)
    expect(document()).toMatchObject({
      ok: false,
      tables: [{ table: 'first', differences: '1' }],
      differences: [{ key: 'http://user:word@host', kind: 'missing_stream' }],
      error: { code: 'EW_TABLE_UNKNOWN' },
    })
  })
})
