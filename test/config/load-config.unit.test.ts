import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig, resolveConnection } from '../../src/config/index.js'
import { EventwardError, UsageError } from '../../src/errors/index.js'

const TABLES = `import { defineTable, type Integer } from 'eventward'
export interface RewardsRow { id: Integer; title: string }
export const tables = {
  rewards: defineTable<RewardsRow>()({
    schema: 'public', name: 'rewards', key: ['id'],
    columns: { id: { type: 'bigint', nullable: false }, title: { type: 'text', nullable: false } },
  }),
}
`
const REWARD = `import { defineAggregate, defineConfig } from 'eventward'
import { tables } from './eventward.tables.js'
enum Names { reward = 'Reward' }
const Reward = defineAggregate({
  name: Names.reward, table: tables.rewards, events: { Created: { creates: true, data: ['title'] } },
})
`

describe('loadConfig', () => {
  let cwd = ''
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'eventward-config-'))
    await writeFile(join(cwd, 'eventward.tables.ts'), TABLES)
  })
  afterEach(() => rm(cwd, { recursive: true, force: true }))

  const write = (text: string, name = 'eventward.config.ts') => writeFile(join(cwd, name), text)
  const load = (path?: string) => loadConfig(path, cwd)
  const refusal = async (): Promise<UsageError> => {
    const error: unknown = await load().then(
      () => undefined,
      (cause: unknown) => cause,
    )
    expect(error).toBeInstanceOf(UsageError)
    expect((error as UsageError).next ?? '').not.toBe('')
    return error as UsageError
  }

  it('loads TypeScript with its tables, enums and top-level await, and fills in defaults', async () => {
    await write(`${REWARD}await Promise.resolve()\nexport default defineConfig({ aggregates: [Reward] })\n`)
    expect(await load()).toMatchObject({
      path: join(cwd, 'eventward.config.ts'),
      connection: null,
      schemas: ['public'],
      events: { schema: 'public', table: 'events' },
      aggregates: [{ name: 'Reward', table: { name: 'rewards' }, events: [{ type: 'Created' }] }],
      freshnessSeconds: 3600,
      lockTimeoutMs: 400,
    })
  })

  it('takes what is said', async () => {
    await write(
      `export default { connection: 'postgresql://h/d', schemas: ['a', 'b'], events: { table: 'log' },
      aggregates: [], freshness: '90m', lockTimeout: 250 }`,
      'other.mjs',
    )
    expect(await load('other.mjs')).toMatchObject({
      connection: 'postgresql://h/d',
      schemas: ['a', 'b'],
      events: { schema: 'public', table: 'log' },
      freshnessSeconds: 5400,
      lockTimeoutMs: 250,
    })
  })

  it('a file written anew is read anew', async () => {
    await write("export default { aggregates: [], schemas: ['one'] }")
    expect((await load()).schemas).toEqual(['one'])
    await write("export default { aggregates: [], schemas: ['two'] }")
    expect((await load()).schemas).toEqual(['two'])
  })

  it('gives the configuration the very eventward that runs, so that its errors are known', async () => {
    await write(`${REWARD}defineAggregate({ name: 'Twice', table: tables.rewards, events: {
      Created: { creates: true, data: ['title'], set: { title: 'x' } } } } as never)
      export default defineConfig({ aggregates: [Reward] })`)
    const error = await refusal()
    expect(error).toBeInstanceOf(EventwardError)
    expect(error).toMatchObject({ code: 'EW_COLUMN_TWICE' })
    expect(error.message).toMatch(/^eventward\.config\.ts:7: /)
  })

  it('a missing file says how to get one', async () => {
    const error = await refusal()
    expect(error).toMatchObject({ code: 'EW_CONFIG_MISSING' })
    expect(error.next).toContain('eventward init')
  })

  it('a syntax error is told by file, line and column, in a file that is imported too', async () => {
    await write('export default {\n  aggregates: [ }\n}\n')
    expect(await refusal()).toMatchObject({ code: 'EW_CONFIG_INVALID', details: { line: 2 } })
    expect((await refusal()).message).toMatch(/^eventward\.config\.ts:2:\d+: Unexpected token/)
    await write("import './eventward.tables.js'\nexport default { aggregates: [] }\n")
    await writeFile(join(cwd, 'eventward.tables.ts'), 'export const tables = {\n  = 1\n}\n')
    expect((await refusal()).message).toMatch(/^eventward\.tables\.ts:2:\d+: /)
  })

  it('what it throws is told by its line and the first line of its message', async () => {
    await write("const x = 1\n\nthrow new TypeError('not today\\nnor tomorrow')\n")
    const error = await refusal()
    expect(error.code).toBe('EW_CONFIG_INVALID')
    expect(error.message).toBe('eventward.config.ts:3: TypeError: not today')
    expect(error.cause).toBeInstanceOf(Error)
  })

  it('an import that is not there is named', async () => {
    await write("import { x } from './nowhere.js'\nexport default { aggregates: [x] }\n")
    expect((await refusal()).message).toContain('nowhere')
  })

  it.each([
    ['export const config = 1', 'exports no configuration'],
    ['export default 7', 'exports no configuration'],
    ['export default {}', 'exports no configuration'],
    ['export default { aggregates: {} }', 'aggregates is no list'],
    ['export default { aggregates: [{ name: "X" }] }', 'aggregates[0] is no aggregate'],
    ['export default { aggregates: [], agregates: [] }', 'unknown property "agregates"'],
    ['export default { aggregates: [], schema: "x" }', 'unknown property "schema"'],
    ['export default { aggregates: [], schemas: [] }', 'schemas is no list'],
    ['export default { aggregates: [], events: { tabel: "x" } }', 'unknown property "tabel"'],
    ['export default { aggregates: [], events: "x" }', 'events names no table'],
    ['export default { aggregates: [], freshness: "soon" }', 'freshness is no duration'],
    ['export default { aggregates: [], lockTimeout: -1 }', 'lockTimeout is no number'],
    ['export default { aggregates: [], connection: 5 }', 'connection is no text'],
    ['export default { aggregates: [], connection: "a", knexfile: "b" }', 'both a connection and a knexfile'],
    [`${REWARD}export default { aggregates: [Reward, Reward] }`, 'two aggregates are called Reward'],
    [
      `${REWARD}export default { aggregates: [Reward, { ...Reward, name: 'Other' }] }`,
      'two aggregates have the table public.rewards',
    ],
  ])('%s is refused: %s', async (text, message) => {
    await write(text)
    const error = await refusal()
    expect(error.code).toBe('EW_CONFIG_INVALID')
    expect(error.message).toContain(message)
  })
})

describe('resolveConnection', () => {
  let cwd = ''
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'eventward-config-'))
  })
  afterEach(() => rm(cwd, { recursive: true, force: true }))

  const config = (more: { connection?: string; knexfile?: string }) => ({
    path: join(cwd, 'eventward.config.ts'),
    connection: more.connection ?? null,
    knexfile: more.knexfile ?? null,
  })
  const knexfile = (text: string) => writeFile(join(cwd, 'knexfile.ts'), text)

  it('--url beats the configuration, that beats DATABASE_URL, that beats PG*', async () => {
    const env = { DATABASE_URL: 'postgresql://env/d', PGHOST: 'pg' }
    const given = config({ connection: 'postgresql://config/d' })
    expect(await resolveConnection({ url: 'postgresql://url/d', config: given, env })).toEqual({
      url: 'postgresql://url/d',
    })
    expect(await resolveConnection({ config: given, env })).toEqual({ url: 'postgresql://config/d' })
    expect(await resolveConnection({ config: config({}), env })).toEqual({ url: 'postgresql://env/d' })
    expect(await resolveConnection({ env: { PGHOST: 'pg' } })).toEqual({})
  })

  it('takes a section of a knexfile, escaped for a URL', async () => {
    await knexfile(`interface Unused { x: number }
      export default {
        development: { client: 'pg', connection: 'postgresql://dev/d' },
        production: { client: 'pg', connection: async () => ({
          host: 'db1', port: 5433, user: 'a@b', password: 'p:/?#', database: 'my shop', ssl: { rejectUnauthorized: false },
        }) },
      }`)
    const of = (section: string) =>
      resolveConnection({ config: config({ knexfile: `./knexfile.ts${section}` }), env: {} })
    expect(await of('')).toEqual({ url: 'postgresql://dev/d' })
    const { url } = await of('#production')
    const parsed = new URL(url ?? '')
    expect([parsed.hostname, parsed.port, decodeURIComponent(parsed.password)]).toEqual([
      'db1',
      '5433',
      'p:/?#',
    ])
    expect(parsed.searchParams.get('sslmode')).toBe('no-verify')
    expect(decodeURIComponent(parsed.pathname)).toBe('/my shop')
  })

  it.each([
    ['', 'no such file'],
    ['export default { development: { client: "pg" } }', 'neither a URL nor an object'],
    ['export default { test: { client: "pg", connection: "x" } }', 'no section "development"'],
    ['export default {', 'Unexpected token'],
  ])('refuses a knexfile %j: %s', async (text, message) => {
    if (text !== '') await knexfile(text)
    const error: unknown = await resolveConnection({
      config: config({ knexfile: './knexfile.ts' }),
      env: {},
    }).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'EW_KNEXFILE' })
    expect((error as UsageError).message).toContain(message)
  })
})

describe('the cache of compiled files', () => {
  let cwd = ''
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'eventward-config-'))
  })
  afterEach(() => rm(cwd, { recursive: true, force: true }))

  it('stands in node_modules, and is never stale', async () => {
    await mkdir(join(cwd, 'node_modules'))
    const write = (schema: string) =>
      writeFile(join(cwd, 'eventward.config.ts'), `export default { aggregates: [], schemas: ['${schema}'] }`)
    for (const schema of ['one', 'two', 'one']) {
      await write(schema)
      expect((await loadConfig(undefined, cwd)).schemas).toEqual([schema])
    }
    expect((await readdir(join(cwd, 'node_modules', '.cache', 'eventward'))).length).toBeGreaterThan(0)
  })

  it('is left out where there is no node_modules: nothing is put into the common temporary folder', async () => {
    const before = await readdir(tmpdir())
    await writeFile(join(cwd, 'eventward.config.ts'), 'export default { aggregates: [] }')
    await loadConfig(undefined, cwd)
    expect((await readdir(cwd)).sort()).toEqual(['eventward.config.ts'])
    expect((await readdir(tmpdir())).includes('jiti')).toBe(before.includes('jiti'))
  })

  it('an unwritable one does no harm', async () => {
    await writeFile(join(cwd, 'node_modules'), 'no folder')
    await writeFile(join(cwd, 'eventward.config.ts'), 'export default { aggregates: [] }')
    expect((await loadConfig(undefined, cwd)).aggregates).toEqual([])
  })
})
