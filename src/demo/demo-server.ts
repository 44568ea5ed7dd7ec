import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { chown, mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DatabaseError } from '../errors/index.js'
import { othersReach } from './others-reach.js'
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.js'

export interface DemoServer {
  /** URL of the maintenance database, as superuser. */
  readonly url: string
  /** `PostgreSQL 18.4` */
  readonly version: string
  /** A folder for the demo's own files; goes with the server. */
  readonly folder: string
  /** Stops the server and removes all that it left. */
  readonly stop: () => Promise<void>
}

const execute = promisify(execFile)

/** How long the server may take to come up or down, in seconds. */
const PATIENCE = '30'

/**
 * Starts a PostgreSQL of its own: 127.0.0.1, a free port, a random password, its data in the temporary folder.
 *
 * @throws UsageError EW_DEMO_NO_POSTGRES; DatabaseError EW_DEMO_SERVER with the server's last words.
 */
export async function startDemoServer(): Promise<DemoServer> {
  const folder = await mkdtemp(join(await scratch(), 'eventward-demo-'))
  const data = join(folder, 'data')
  // Also where the process ends in a way that leaves no time to wait.
  const abandon = () => {
    killServer(data)
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  process.once('exit', abandon)
  const discard = () => {
    process.off('exit', abandon)
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  try {
    const user = await serverUser(folder)
    const binaries = await postgresBinaries(folder, user?.uid ?? null)
    const password = randomBytes(12).toString('hex')
    const port = await freePort()
    const version = await initialise(binaries, { folder, data, password, user })
    await start(binaries, { data, port, log: join(data, 'server.log'), user })
    return {
      url: `postgresql://postgres:${password}@127.0.0.1:${port}/postgres?sslmode=disable`,
      version,
      folder,
      stop: async () => {
        await execute(binaries.pgCtl, ['stop', '-D', data, '-m', 'immediate', '-w', '-t', PATIENCE], {
          ...user,
          cwd: folder,
        }).catch(() => undefined) // it is down already
        discard()
      },
    }
  } catch (error) {
    discard()
    throw error
  }
}

/** The temporary folder; for root one that the server's user reaches. */
async function scratch(): Promise<string> {
  const own = tmpdir()
  return process.getuid?.() !== 0 || (await othersReach(own)) ? own : '/tmp'
}

interface User {
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL refuses to run as root; `nobody` is there on every system that has a root. */
async function serverUser(folder: string): Promise<User | null> {
  if (process.getuid?.() !== 0) return null
  const id = async (flag: string) => Number((await execute('id', [flag, 'nobody'])).stdout)
  const user = { uid: await id('-u'), gid: await id('-g') }
  await chown(folder, user.uid, user.gid)
  return user
}

async function initialise(
  { initdb, postgres }: PostgresBinaries,
  { folder, data, password, user }: { folder: string; data: string; password: string; user: User | null },
): Promise<string> {
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  await mkdir(data, { mode: 0o700 })
  if (user !== null) {
    await chown(passwordFile, user.uid, user.gid)
    await chown(data, user.uid, user.gid)
  }
  const settings = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  // The environment may name an encoding or a locale that isn't there.
  const place = ['--encoding=UTF8', '--locale=C', '--no-sync', `--pgdata=${data}`]
  try {
    await execute(initdb, [...settings, ...place], { ...user, cwd: folder })
    const { stdout } = await execute(postgres, ['--version'], { ...user, cwd: folder })
    return stdout.trim().replace(/^.*\(PostgreSQL\)/, 'PostgreSQL')
  } catch (cause) {
    throw serverError(cause)
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

async function start(
  { pgCtl }: PostgresBinaries,
  { data, port, log, user }: { data: string; port: number; log: string; user: User | null },
): Promise<void> {
  const options = [...SETTINGS, `port=${port}`].map((setting) => `-c ${setting}`).join(' ')
  const args = ['start', '-D', data, '-l', log, '-w', '-t', PATIENCE, '-o', options]
  // Its own group: Ctrl-C goes to us alone, and we stop it.
  const child = spawn(pgCtl, args, { ...user, cwd: data, stdio: 'ignore', detached: true })
  const status = await new Promise<number | null>((done, fail) => {
    child.once('error', fail)
    child.once('exit', done)
  }).catch((cause: unknown) => {
    throw serverError(cause)
  })
  if (status !== 0) throw serverError(`pg_ctl ended with status ${status}; see ${log}`)
}

/** At once, its processes too; the first line of its file is the postmaster's pid. */
function killServer(data: string): void {
  const file = join(data, 'postmaster.pid')
  if (!existsSync(file)) return
  const [pid = ''] = readFileSync(file, 'utf8').split('\n')
  try {
    if (/^\d+$/.test(pid)) process.kill(Number(pid), 'SIGQUIT')
  } catch {
    // It has ended by itself.
  }
}

/** For data that nobody keeps. */
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'max_wal_size=2GB',
]

function serverError(cause: unknown): DatabaseError {
  const words = cause instanceof Error ? cause.message : String(cause)
  return new DatabaseError('EW_DEMO_SERVER', `the embedded PostgreSQL did not start: ${words.trim()}`, {
    next: 'Run it again with --verbose. On Linux it needs glibc; where it can not run, use a server of your own.',
    cause,
  })
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer()
    probe.once('error', fail)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => done(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
