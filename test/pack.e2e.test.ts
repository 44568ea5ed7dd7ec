import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { migrateStatus, migrationSource } from '../src/migrate/index.js'
import { testDatabase } from './support/database.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** A project that uses each export, and what must not compile. */
const CONSUMER = `
  import { defineAggregate, defineCommand, defineConfig, defineTable, type Integer, occurredAt } from 'eventward'
  import { migrationSource } from 'eventward/migrations'
  import { expectLossless, given } from 'eventward/testing'
  export const names: Promise<string[]> = migrationSource.getMigrations()
  const items = defineTable<{ id: Integer; done_at: string | null }>()({
    schema: 'public',
    name: 'items',
    key: ['id'],
    columns: {
      id: { type: 'integer', nullable: false },
      done_at: { type: 'timestamp with time zone', nullable: true },
    },
  })
  const Item = defineAggregate({
    name: 'Item',
    table: items,
    events: { Made: { creates: true }, Done: { set: { done_at: occurredAt } } },
  })
  const Finish = defineCommand({ aggregate: Item, build: () => ({ type: 'Done' }) })
  export const done: Promise<void> = given(Item, [{ type: 'Made' }])
    .when(Finish, { id: 1 })
    .then([{ type: 'Done' }])
  expectLossless(Item, [{ id: 1, done_at: null }])
  export default defineConfig({ schemas: ['public'], aggregates: [Item] })
  // @ts-expect-error: an unknown option is refused
  defineConfig({ aggregates: [], nonsense: true })
  // @ts-expect-error: no event of this aggregate
  given(Item, [{ type: 'Ended' }])
  // @ts-expect-error: the key is missing
  given(Item, []).when(Finish, {})
`

describe('the packed package, installed into an empty folder', () => {
  const db = testDatabase({ migrated: false })
  let folder = ''
  const run = async (command: string, ...args: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(command, [...args], { cwd: folder, maxBuffer: 1 << 26 })
    return stdout
  }
  const node = (code: string, ...args: readonly string[]) =>
    run(process.execPath, '--input-type=module', '--eval', code, ...args)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eventward-pack-'))
    // npm builds first (prepack), so that what is tested is what would be published.
    await run('npm', 'pack', ROOT, '--silent', '--pack-destination', folder)
    const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? 'no tarball'
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
    await run('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', '--silent', `./${tarball}`)
  }, 300_000)
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('has a command line', async () => {
    const help = await run('npx', '--no-install', 'eventward', '--help')
    expect(help).toContain('backfill')
    expect(await run('npx', '--no-install', 'eventward', '--version')).toMatch(/^\d+\.\d+\.\d+/)
  })

  it('holds the pages that its README links to', async () => {
    const at = join(folder, 'node_modules', 'eventward')
    const readme = await readFile(join(at, 'README.md'), 'utf8')
    const pages = [...readme.matchAll(/\]\(((?:docs\/)?[\w-]+\.md)/g)].map(([, page]) => page ?? '')
    expect(pages).toEqual(expect.arrayContaining(['docs/cutover.md', 'ARCHITECTURE.md']))
    for (const page of pages) expect(await readFile(join(at, page), 'utf8'), page).toMatch(/^# /)
  })

  it('is imported as an ES module, by every name that it exports, and required as well', async () => {
    const names = Object.keys(manifest.exports).map((name) => name.replace(/^\./, 'eventward'))
    expect(names).toEqual([
      'eventward',
      'eventward/migrations',
      'eventward/testing',
      'eventward/package.json',
    ])
    const imported = await node(
      `const exported = {}
       for (const name of process.argv.slice(1)) {
         const options = name.endsWith('.json') ? { with: { type: 'json' } } : undefined
         exported[name] = Object.keys(await import(name, options))
       }
       process.stdout.write(JSON.stringify(exported))`,
      ...names,
    )
    const exported = JSON.parse(imported) as Record<string, readonly string[]>
    expect(exported['eventward']).toEqual(
      expect.arrayContaining(['defineAggregate', 'defineCommand', 'defineConfig', 'lookup', 'occurredAt']),
    )
    expect(exported['eventward/migrations']).toContain('migrationSource')
    expect(exported['eventward/testing']).toEqual(['expectLossless', 'given'])
    const required = `const { given } = require('eventward/testing'); process.stdout.write(typeof given)`
    expect(await run(process.execPath, '--input-type=commonjs', '--eval', required)).toBe('function')
  })

  it('exports nothing else', async () => {
    await expect(node(`await import('eventward/dist/src/index.js')`)).rejects.toThrow(
      /ERR_PACKAGE_PATH_NOT_EXPORTED/,
    )
  })

  it('imports what it depends upon, and no package that only its development has', async () => {
    const dist = join(folder, 'node_modules/eventward/dist')
    const files = (await readdir(dist, { recursive: true })).filter((name) => /\.(js|d\.ts)$/.test(name))
    expect(files.length).toBeGreaterThan(500)
    const strangers = new Set<string>()
    for (const name of files) {
      for (const wanted of importsOf(await readFile(join(dist, name), 'utf8'))) {
        if (wanted.startsWith('.') || wanted.startsWith('node:')) continue
        const known = Object.keys(manifest.dependencies).some(
          (one) => wanted === one || wanted.startsWith(`${one}/`),
        )
        if (!known) strangers.add(`${name}: ${wanted}`)
      }
    }
    expect([...strangers]).toEqual([])
  })

  it.each([
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
    ['preserve', 'bundler'],
  ])(
    'brings types that a strict project compiles against: module %s, resolution %s',
    async (module, resolution) => {
      await writeFile(join(folder, 'consumer.ts'), CONSUMER)
      // Without skipLibCheck: our own declarations are looked at as well, and what they import must be there.
      const options = `--noEmit --strict --exactOptionalPropertyTypes --target es2022 --module ${module} --moduleResolution ${resolution}`
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
      const told = run(process.execPath, tsc, ...options.split(' '), '--types', '', 'consumer.ts')
      expect(await told.catch((error: { stdout: string }) => error.stdout)).toBe('')
    },
  )

  it('holds migrations, and nothing else, in the folder that knex is given', async () => {
    const names = await migrationSource.getMigrations()
    const files = await readdir(join(folder, 'node_modules/eventward/dist/migrations'))
    expect(files.toSorted()).toEqual(names.map((name) => `${name}.js`))
    const ran = await node(
      `import createKnex from 'knex'
       const directory = './node_modules/eventward/dist/migrations'
       const knex = createKnex({ client: 'pg', connection: process.argv[1], migrations: { directory } })
       process.stdout.write((await knex.migrate.latest())[1].join(' '))
       await knex.destroy()`,
      db.url,
    )
    expect(ran.split(' ')).toEqual(files.toSorted())
    const status = await migrateStatus({ url: db.url, events: { schema: 'public', table: 'events' } })
    expect(status.migrations.every((one) => one.appliedAt !== null)).toBe(true)
  })
})

/** Packages that a module names, in its code and not in its comments. */
function importsOf(text: string): readonly string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const statements = code.matchAll(
    /^(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|^import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm,
  )
  return [...statements].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}
