import { type EventwardError, GateError } from '../src/errors/index.js'
import { asError } from './as-error.js'
import { type Command, nameOf, type Outcome } from './command.js'
import { COMMANDS } from './commands/index.js'
import { type Document, documentText, type ErrorMember, errorMember } from './document.js'
import { createHost, type Host } from './host.js'
import type { Io } from './io.js'
import { parseArguments } from './parse-arguments.js'
import { redact, secretsOf } from './redact.js'
import { errorText } from './render/error-text.js'
import { listenForStop } from './stop.js'

/**
 * Runs one command line and gives the exit status: 0 done and clean, 1 a difference or a refusal, 2 wrong use or
 * definition, 3 the database failed, 130 stopped. The one place where that is decided. With `--json`, stdout gets
 * exactly one document, whatever happens.
 */
export async function run(
  argv: readonly string[],
  io: Io,
  commands: readonly Command[] = COMMANDS,
): Promise<number> {
  const report = reporter(argv, io)
  const stop = listenForStop(io)
  let name = commands.map(nameOf).find((known) => argv.includes(known)) ?? 'eventward'
  let host: Host | undefined
  try {
    const parsed = await parseArguments(argv, commands, io.stdout.columns)
    if (parsed.kind === 'text') return report.text(parsed.text)
    name = nameOf(parsed.command)
    host = createHost(name, parsed.args, io, stop.signal)
    const outcome = await parsed.command.run(parsed.args as never, host)
    host.progress.end()
    return report.outcome(name, outcome, host)
  } catch (error) {
    host?.progress.end()
    return report.failure(name, error, host)
  } finally {
    stop.release()
  }
}

/** Asked before the arguments are parsed, since they may not parse. */
function has(argv: readonly string[], option: string): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end === -1 ? argv.length : end).includes(option)
}

function reporter(argv: readonly string[], io: Io) {
  const json = has(argv, '--json')
  const verbose = has(argv, '--verbose')
  const known = secretsOf([...argv, io.env['DATABASE_URL']], io.env)
  const print = (document: Document) => io.stdout.write(`${documentText(document)}\n`)
  const warn = (error: EventwardError, secrets: readonly string[]) =>
    io.stderr.write(`${redact(errorText(error, { verbose, stream: io.stderr }), secrets)}\n`)

  return {
    text(text: string): number {
      if (json) print({ v: 1, command: 'help', ok: true, text })
      else io.stdout.write(`${text}\n`)
      return 0
    },

    outcome(command: string, { ok, members, text, error }: Outcome, { secrets, long }: Host): number {
      const all = [...known, ...secrets]
      // What a command found is data, not our words: it's printed as it is. The error may quote a URL.
      const found = { ok, ...members, ...(error ? { error: withoutSecrets(error, all) } : {}) }
      if (long.isOpen()) long.end(found, json ? '' : text())
      else if (json) print({ v: 1, command, ...found })
      else {
        const shown = text()
        if (shown !== '') io.stdout.write(`${shown}\n`)
      }
      if (!json && error !== undefined) warn(error, all)
      return ok ? 0 : (error?.exitStatus ?? new GateError('EW_NOT_OK', command).exitStatus)
    },

    failure(command: string, thrown: unknown, host: Host | undefined): number {
      const error = asError(thrown)
      const all = [...known, ...(host?.secrets ?? [])]
      const failed = { ok: false, error: withoutSecrets(error, all) }
      // Still one document, though it fails in the middle of its list.
      if (host?.long.isOpen() === true) host.long.end(failed, '')
      else if (json) print({ v: 1, command, ...failed })
      warn(error, all)
      return error.exitStatus
    },
  }
}

function withoutSecrets(error: EventwardError, secrets: readonly string[]): ErrorMember {
  return JSON.parse(redact(documentText(errorMember(error)), secrets)) as ErrorMember
}
