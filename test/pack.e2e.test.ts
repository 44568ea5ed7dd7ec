import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrateStatus, migrationSource } from '../src/migrate/index.js'
import { testDatabase } from './support/database.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

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

  it('is imported as an ES module', async () => {
    const names = await node(`process.stdout.write(Object.keys(await import('eventward')).join(' '))`)
    expect(names.split(' ')).toEqual(
      expect.arrayContaining(['defineAggregate', 'defineConfig', 'lookup', 'occurredAt']),
    )
  })

  it('brings types that a strict project compiles against', async () => {
    await writeFile(
      join(folder, 'consumer.ts'),
      `import { defineConfig } from 'eventward'
       import { migrationSource } from 'eventward/migrations'
       export const names: Promise<string[]> = migrationSource.getMigrations()
       export default defineConfig({ schemas: ['public'], aggregates: [] })
       // @ts-expect-error: an unknown option is refused
       defineConfig({ aggregates: [], nonsense: true })\n`,
    )
    const options =
      '--noEmit --strict --exactOptionalPropertyTypes --module nodenext --target es2022 --skipLibCheck'
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    expect(await run(process.execPath, tsc, ...options.split(' '), '--types', '', 'consumer.ts')).toBe('')
  })

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
