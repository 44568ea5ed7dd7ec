import { beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions } from '../support/subscription.js'
import { cli, project } from './run-cli.js'

const TABLES = `import { defineTable } from 'eventward'
export const tables = {
  subscriptions: defineTable()({
    schema: 'public',
    name: 'subscriptions',
    key: ['id'],
    columns: {
      id: { type: 'bigint', nullable: false },
      user_id: { type: 'bigint', nullable: false },
      reward_id: { type: 'bigint', nullable: false },
      payment_source_key: { type: 'text', nullable: true },
      status: { type: 'public.subscription_status', nullable: false, values: ['unpaid', 'active', 'inactive'] },
      stripe_key: { type: 'text', nullable: true },
      created_at: { type: 'timestamp with time zone', nullable: false },
      activated_at: { type: 'timestamp with time zone', nullable: true },
      deactivated_at: { type: 'timestamp with time zone', nullable: true },
    },
  }),
  notes: defineTable()({ schema: 'public', name: 'notes', key: ['id'], columns: { id: { type: 'integer', nullable: false } } }),
}
`

const config = ({
  data = "['user_id']",
  set = "{ status: 'unpaid' }",
  table = 'tables.subscriptions',
} = {}) =>
  `import { defineAggregate, defineConfig } from 'eventward'
import { tables } from './eventward.tables.js'
export default defineConfig({
  aggregates: [
    defineAggregate({ name: 'Subscription', table: ${table}, events: { Created: { creates: true, data: ${data}, set: ${set} } } }),
  ],
})
`

const files = (text: string) => ({ 'eventward.config.ts': text, 'eventward.tables.ts': TABLES })

describe('bad input changes nothing and is one document', () => {
  const db = testDatabase()
  const bare = testDatabase({ migrated: false })

  beforeAll(async () => {
    for (const { admin } of [db, bare]) {
      await admin.query(createSubscriptions)
      await admin.query(insertSubscriptions)
      await admin.query('create table public.notes (body text)')
    }
  })

  /** All that a command could have written, counted. */
  const written = async () => {
    const { rows } = await db.admin.query(`
      select (select count(*) from public.events) as events,
        (select count(*) from eventward.runs) as runs,
        (select count(*) from eventward.definitions) as definitions,
        (select count(*) from eventward.mismatches) as mismatches,
        (select count(*) from pg_catalog.pg_class) as relations`)
    return rows[0] as unknown
  }

  const refused = async (
    argv: readonly string[],
    text: string,
    { status, code, says }: { readonly status: number; readonly code: string; readonly says: RegExp },
  ) => {
    const cwd = await project(files(text))
    const before = await written()
    const plain = await cli([...argv, '--url', db.url], { cwd })
    expect(plain.stderr).toMatch(says)
    expect(plain.stderr).toContain(code)
    expect(plain.stdout).toBe('')
    expect(plain.status).toBe(status)
    const told = await cli([...argv, '--url', db.url, '--json'], { cwd })
    expect(told.status).toBe(status)
    expect(told.document()).toMatchObject({ v: 1, command: argv[0], ok: false, error: { code } })
    expect(told.document().error?.next).toMatch(/\w/)
    expect(await written()).toEqual(before)
  }

  it.each(['plan', 'backfill', 'verify', 'status'])('%s: a configuration that does not compile', (command) =>
    refused([command], `${config()}\nconst = 1`, {
      status: 2,
      code: 'EW_CONFIG_INVALID',
      says: /eventward\.config\.ts:\d+:\d+/,
    }),
  )

  it.each(['plan', 'backfill', 'verify'])('%s: an unknown column, with the one that was meant', (command) =>
    refused([command], config({ data: "['user_idd']" }), {
      status: 2,
      code: 'EW_COLUMN_UNKNOWN',
      says: /user_idd.*Did you mean "user_id"/s,
    }),
  )

  it.each(['plan', 'backfill', 'verify'])('%s: a constant outside an enum', (command) =>
    refused([command], config({ set: "{ status: 'unpayd' }" }), {
      status: 2,
      code: 'EW_CONSTANT',
      says: /unpayd.*Did you mean "unpaid"/,
    }),
  )

  it.each(['backfill', 'verify'])('%s: a table without a key', (command) =>
    refused([command], config({ table: 'tables.notes', data: '[]', set: '{}' }), {
      status: 2,
      code: 'EW_KEY_MISSING',
      says: /notes.*no key/s,
    }),
  )

  it('plan answers a table without a key, with the reason', async () => {
    const cwd = await project(files(config({ table: 'tables.notes', data: '[]', set: '{}' })))
    const { document, status } = await cli(['plan', 'notes', '--url', db.url, '--json'], { cwd })
    expect(status).toBe(0)
    expect(document()['tables']).toMatchObject([
      { table: 'notes', supported: false, reasons: [{ code: 'EW_KEY_MISSING' }], events: null },
    ])
  })

  it.each([
    ['backfill', 'subscription'],
    ['verify', 'subscription'],
    ['plan', 'subscription'],
    ['explain', 'subscription'],
    ['status', 'subscription'],
  ])('%s: an unknown table, with the one that was meant', (command, table) =>
    refused([command, table], config(), {
      status: 2,
      code: 'EW_TABLE_UNKNOWN',
      says: /"subscription"\. Did you mean "subscriptions"/,
    }),
  )

  it.each([
    [
      'an unknown aggregate',
      ['history', 'Subscriptio', '1'],
      'EW_AGGREGATE_UNKNOWN',
      /Did you mean "Subscription"/,
    ],
    ['the name of the table', ['show', 'subscriptions', '1'], 'EW_AGGREGATE_UNKNOWN', /is Subscription/],
    ['a stream without events', ['history', 'Subscription', '12'], 'EW_STREAM_UNKNOWN', /eventward backfill/],
    ['a key that is none', ['show', 'Subscription', 'twelve'], 'EW_KEY_INVALID', /twelve.*bigint/],
    ['a time that is none', ['show', 'Subscription', '12', '--at', 'then'], 'EW_TIME_INVALID', /then/],
    ['a run that is none', ['runs', '4711'], 'EW_RUN_UNKNOWN', /4711/],
  ] as const)('%s', (_, argv, code, says) => refused(argv, config(), { status: 2, code, says }))

  it.each(['backfill', 'verify', 'runs', 'history'])('%s before `migrate up`', async (command) => {
    const cwd = await project(files(config()))
    const argv = [
      ...(command === 'history' ? ['history', 'Subscription', '12'] : [command]),
      '--url',
      bare.url,
    ]
    const { status, stderr } = await cli(argv, { cwd })
    expect(status).toBe(2)
    expect(stderr).toMatch(/EW_NOT_MIGRATED.*eventward migrate up/)
    expect((await cli([...argv, '--json'], { cwd })).document()).toMatchObject({
      error: { code: 'EW_NOT_MIGRATED' },
    })
    const { rows } = await bare.admin.query(
      "select 1 from pg_catalog.pg_namespace where nspname = 'eventward'",
    )
    expect(rows).toEqual([])
  })

  it.each([
    ['a wrong password', { password: 'hunter2secret' }, 'EW_DB_AUTH'],
    ['a wrong port', { port: '1' }, 'EW_DB_UNREACHABLE'],
    ['a database that is not there', { pathname: 'nowhere' }, 'EW_DB_MISSING'],
  ])('%s: status 3, and the password is printed nowhere', async (_, change, code) => {
    const cwd = await project(files(config()))
    const url = Object.assign(new URL(db.url), change)
    for (const argv of [
      ['plan', '--url', url.href],
      ['plan', '--url', url.href, '--json', '--verbose'],
    ]) {
      const told = await cli(argv, { cwd })
      expect(told.status).toBe(3)
      expect(told.stderr).toContain(code)
      expect(told.stdout + told.stderr).not.toContain('hunter2secret')
      expect(told.stdout + told.stderr).not.toContain(`:${url.password}@`)
    }
  })

  it('a URL that is none: the password in it is printed nowhere', async () => {
    const cwd = await project(files(config()))
    const told = await cli(['plan', '--url', 'postgres:/me:hunter2secret@nowhere', '--verbose', '--json'], {
      cwd,
    })
    expect(told.status).toBe(2)
    expect(told.document().error?.code).toBe('EW_DB_URL')
    expect(told.stdout + told.stderr).not.toContain('hunter2secret')
  })

  it('the target is always told, and never the password', async () => {
    const cwd = await project(files(config()))
    await db.admin.query("insert into eventward.settings values ('environment', 'PRODUCTION')")
    const { stderr } = await cli(['status', '--url', db.url, '--quiet'], { cwd })
    const { hostname, port, password } = new URL(db.url)
    expect(stderr).toBe(`${db.name}@${hostname}:${port} · PRODUCTION\n`)
    expect(stderr).not.toContain(password)
    await db.admin.query("delete from eventward.settings where key = 'environment'")
  })

  it('names its target as a line of JSON with --json, so that all progress is', async () => {
    const cwd = await project(files(config()))
    const { stderr } = await cli(['status', '--url', db.url, '--json'], { cwd })
    const { hostname, port } = new URL(db.url)
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    expect(lines).toEqual([
      {
        v: 1,
        type: 'target',
        command: 'status',
        database: db.name,
        host: hostname,
        port,
        label: null,
      },
    ])
  })

  it('init keeps a file that holds something else, unless told otherwise', async () => {
    const cwd = await project({ 'eventward.config.ts': '// mine\n' })
    const kept = await cli(['init', '--url', db.url, '--tables', 'subscriptions', '--json'], { cwd })
    expect(kept.status).toBe(2)
    expect(kept.document().error?.code).toBe('EW_FILES_KEPT')
    const written = await cli(['init', '--url', db.url, '--tables', 'subscriptions', '--yes', '--json'], {
      cwd,
    })
    expect(written.status).toBe(0)
    expect(written.document()['tables']).toMatchObject([{ table: 'subscriptions', supported: true }])
  })

  it('init names the table that is not there', async () => {
    const cwd = await project()
    const { status, stderr } = await cli(['init', '--url', db.url, '--tables', 'subscripions'], { cwd })
    expect(status).toBe(2)
    expect(stderr).toMatch(/EW_TABLE_UNKNOWN.*Did you mean "subscriptions"/)
  })
})
