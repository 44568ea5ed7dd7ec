import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { CONFIG_NAMES, type LoadedConfig, loadConfig, resolveConnection } from '../src/config/index.js'
import { connect, type Database } from '../src/db/index.js'
import { StoppedError, UsageError } from '../src/errors/index.js'
import { readEnvironment } from '../src/migrate/index.js'
import type { GlobalOptions } from './command.js'
import type { Io } from './io.js'
import { type LongOutput, longOutput } from './long-output.js'
import { secretsOf } from './redact.js'
import { type ProgressView, progressView } from './render/progress-view.js'
import { recordLine } from './render/record-line.js'

export interface DatabaseOptions {
  /** Connections at most. @default 4 */
  readonly max?: number
  /** The command watches `signal` itself; else Ctrl-C cancels what runs on the server. @default false */
  readonly stopsItself?: boolean
}

/** What a command is given: configuration, database, progress, and a way to tell people something. */
export interface Host {
  readonly io: Io
  readonly signal: AbortSignal
  readonly progress: ProgressView
  /** Writes a list of any length as it comes. */
  readonly long: LongOutput
  /** Loads the configuration. */
  readonly config: () => Promise<LoadedConfig>
  /** The same, or null where none is named and none is there. */
  readonly configIfAny: () => Promise<LoadedConfig | null>
  /** The URL to connect to; undefined leaves it to PG*. */
  readonly url: (config: LoadedConfig | null) => Promise<string | undefined>
  /** Connects, says to what, and closes after `work`. */
  readonly withDatabase: <T>(
    config: LoadedConfig | null,
    work: (database: Database) => Promise<T>,
    options?: DatabaseOptions,
  ) => Promise<T>
  /** A line on stderr, not with --quiet; with --json a record: of `progress`, where that is given, or of the line. */
  readonly notice: (line: string, progress?: object) => void
  /** Passwords that must never be printed; grows as they become known. */
  readonly secrets: string[]
}

/** Makes the host of one command. Reads --env-file. */
export function createHost(name: string, args: GlobalOptions, io: Io, signal: AbortSignal): Host {
  loadEnvFile(args['env-file'], io.cwd)
  const secrets = [...secretsOf([args.url, io.env['DATABASE_URL']], io.env)]
  const config = () => loadConfig(args.config, io.cwd)
  const url = async (config: LoadedConfig | null) => {
    const options = await resolveConnection({ url: args.url, config: config ?? undefined, env: io.env })
    secrets.push(...secretsOf([options.url], {}))
    return options.url
  }
  const notice = (line: string, progress?: object) => {
    if (args.quiet) return
    const record = () =>
      progress === undefined
        ? recordLine('notice', name, { text: line })
        : recordLine('progress', name, { ...progress })
    io.stderr.write(`${args.json ? record() : line}\n`)
  }
  return {
    io,
    signal,
    secrets,
    progress: progressView(name, args, io),
    long: longOutput(name, { stdout: io.stdout, json: args.json, signal }),
    config,
    configIfAny: async () => (args.config !== undefined || hasConfig(io.cwd) ? config() : null),
    url,
    notice,
    withDatabase: async (config, work, options = {}) => {
      const at = await url(config)
      const database = await connect({
        ...(at === undefined ? {} : { url: at }),
        max: options.max ?? 4,
        applicationName: `eventward ${name}`,
      })
      const letGo = cancelOnAbort(database, signal, options.stopsItself === true ? GRACE_MS : 0)
      try {
        // Always, --quiet or not: whoever looks at a log must see which database it was.
        io.stderr.write(`${await targetLine(database, args.json ? name : null)}\n`)
        return await work(database)
      } catch (error) {
        throw signal.aborted ? stopped(name, error) : error
      } finally {
        letGo()
        await database.close()
      }
    },
  }
}

/** How long a command that watches the signal itself may take to come to an end of what it is at. */
const GRACE_MS = 2_000

/** After Ctrl-C, cancels on the server whatever still runs there, until it's let go: it may have been between two statements. */
function cancelOnAbort(database: Database, signal: AbortSignal, graceMs: number): () => void {
  let timer: NodeJS.Timeout | undefined
  const cancel = () => {
    void database.cancelAll().catch(() => undefined)
    timer = setTimeout(cancel, 500)
  }
  const begin = () => {
    timer = setTimeout(cancel, graceMs)
  }
  signal.addEventListener('abort', begin, { once: true })
  return () => {
    signal.removeEventListener('abort', begin)
    clearTimeout(timer)
  }
}

/** For people, or as the record of a command. */
async function targetLine(database: Database, command: string | null): Promise<string> {
  const { database: name, host, port } = database.target
  const label = await database.session(readEnvironment)
  if (command !== null) return recordLine('target', command, { database: name, host, port, label })
  return `${name}@${host}:${port}${label === null ? '' : ` · ${label}`}`
}

/** Whatever fails after Ctrl-C fails because of it. */
function stopped(name: string, cause: unknown): StoppedError {
  if (cause instanceof StoppedError) return cause
  return new StoppedError('EW_STOPPED', `${name} was stopped`, {
    next: `What is committed is kept: run \`eventward ${name}\` again to go on.`,
    cause,
  })
}

function hasConfig(cwd: string): boolean {
  return CONFIG_NAMES.some((name) => existsSync(resolve(cwd, name)))
}

function loadEnvFile(file: string | undefined, cwd: string): void {
  if (file === undefined) return
  try {
    process.loadEnvFile(resolve(cwd, file))
  } catch (cause) {
    throw new UsageError('EW_ENV_FILE', `${file} can not be read`, {
      next: 'Check the path given with --env-file: it is taken from this folder.',
      details: { file: resolve(cwd, file) },
      cause,
    })
  }
}
