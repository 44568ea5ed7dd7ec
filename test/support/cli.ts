import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll } from 'vitest'
import { run } from '../../cli/run.js'
import { builtCli } from './built.js'

export interface CliResult {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
  /** What `--json` printed. */
  readonly document: CliDocument
}

/** The members of the documents which tests read. */
export interface CliDocument {
  readonly v: number
  readonly command: string
  readonly ok: boolean
  readonly tables: readonly CliTable[]
  readonly differences: readonly CliDifference[]
  readonly error?: { readonly code: string; readonly message: string; readonly next: string | null }
}

export interface CliTable {
  readonly table: string
  readonly [member: string]: unknown
}

export interface CliDifference {
  readonly table: string
  readonly key: unknown
  readonly kind: string
  readonly columns: readonly { readonly column: string; readonly [member: string]: unknown }[]
}

export interface Cli {
  /** The folder in which commands run: its configuration is found there. */
  readonly cwd: string
  /** Runs a command with `--json` inside this process: the fast way, and the same code from `run` on. */
  readonly json: (...args: readonly string[]) => Promise<CliResult>
  /** Runs a command in a process of its own, as a user does. */
  readonly spawn: (...args: readonly string[]) => Promise<CliResult>
}

/** The command line in a folder of its own, on the database of `url`; the folder is removed after the tests. */
export function cliIn(url: () => string): Cli {
  let cwd = ''
  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'eventward-cli-'))
  })
  afterAll(() => rm(cwd, { recursive: true, force: true }))
  const env = () => ({ PATH: process.env['PATH'], HOME: cwd, DATABASE_URL: url() })
  return {
    get cwd() {
      return cwd
    },
    json: (...args) => inProcess([...args, '--json', '--quiet'], cwd, env()),
    spawn: (...args) => inChild(args, cwd, env()),
  }
}

async function inProcess(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<CliResult> {
  const stdout = collect()
  const stderr = collect()
  const io = { stdout: stdout.stream, stderr: stderr.stream, interactive: false, env, cwd }
  const status = await run(args, io)
  return result(status, stdout.text(), stderr.text())
}

function inChild(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [builtCli(), ...args], { cwd, env })
    const stdout = collect()
    const stderr = collect()
    child.stdout.pipe(stdout.stream)
    child.stderr.pipe(stderr.stream)
    child.once('error', reject)
    child.once('close', (status) => resolve(result(status, stdout.text(), stderr.text())))
  })
}

function result(status: number | null, stdout: string, stderr: string): CliResult {
  return {
    status,
    stdout,
    stderr,
    get document() {
      return JSON.parse(stdout) as CliDocument
    },
  }
}

function collect() {
  const chunks: Buffer[] = []
  const stream = new PassThrough()
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { stream, text: () => Buffer.concat(chunks).toString() }
}
