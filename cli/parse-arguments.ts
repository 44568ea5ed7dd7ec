import yargs, { type Argv } from 'yargs'
import { nearestName } from '../src/definition/index.js'
import { EventwardError, UsageError } from '../src/errors/index.js'
import { toolVersion } from '../src/store/index.js'
import { type Command, type GlobalOptions, nameOf } from './command.js'
import { GLOBAL_OPTIONS } from './options.js'

/** What was asked for: a text (help, version), or a command with its arguments. */
export type Parsed =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'command'; readonly command: Command; readonly args: Arguments }

export type Arguments = Record<string, unknown> & GlobalOptions

/**
 * Parses a command line. Runs nothing, exits never.
 *
 * @throws UsageError EW_USAGE for an unknown command or option (with the one that may have been meant), a missing
 * argument, or a value that can't be.
 */
export async function parseArguments(
  argv: readonly string[],
  commands: readonly Command[],
  columns = 100,
): Promise<Parsed> {
  let chosen: Parsed | undefined
  let printed = ''
  const parser = commands.reduce(
    (program, command) =>
      program.command(
        command.usage,
        command.summary,
        (own) => withOptions(own, command),
        (args) => {
          chosen = { kind: 'command', command, args: lastOfEach(args, command, argv) }
        },
      ),
    program(commands, columns, argv),
  )
  await parser.parseAsync([...argv], {}, (_error, _args, output) => {
    printed = output
  })
  if (chosen !== undefined && printed === '') return chosen
  if (printed === '') printed = await parser.getHelp()
  return { kind: 'text', text: printed }
}

function program(commands: readonly Command[], columns: number, argv: readonly string[]): Argv {
  return yargs([])
    .scriptName('eventward')
    .usage('$0 <command>\n\nMoves tables of PostgreSQL to event sourcing, one at a time, and proves it.')
    .options(GLOBAL_OPTIONS)
    .group(Object.keys(GLOBAL_OPTIONS), 'Everywhere:')
    .demandCommand(1, 'name a command')
    .strict()
    .parserConfiguration({
      // A key such as 00123 or 9007199254740993 is a text.
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'camel-case-expansion': false,
      'boolean-negation': false,
    })
    .detectLocale(false)
    .exitProcess(false)
    .showHelpOnFail(false)
    .help('help')
    .alias('help', 'h')
    .version(toolVersion())
    .wrap(Math.min(columns, 110))
    .epilogue(
      'Exit status: 0 done and clean; 1 a difference or a refusal; 2 wrong use or definition; 3 the database failed; 130 stopped by Ctrl-C.',
    )
    .fail((message: string | null, error: unknown) => {
      if (error instanceof EventwardError) throw error
      throw missingArgument(message, commands, argv) ?? usageError(message ?? String(error), commands)
    })
}

/**
 * `--schema a --schema b` is a list; of an option that takes one value, the last counts. Of a lone `-` as an argument
 * yargs leaves an empty text.
 */
function lastOfEach(
  args: Readonly<Record<string, unknown>>,
  command: Command,
  argv: readonly string[],
): Arguments {
  const dash = argv.includes('-') && !argv.includes('')
  const isArgument = new Set(positionalsOf(command))
  const options: Command['options'] = { ...GLOBAL_OPTIONS, ...command.options }
  const entries = Object.entries(args).map(([name, value]) => {
    const one = Array.isArray(value) && options[name] !== undefined && options[name].array !== true
    const last: unknown = one ? value.at(-1) : value
    return [name, dash && last === '' && isArgument.has(name) ? '-' : last]
  })
  return Object.fromEntries(entries) as Arguments
}

function positionalsOf({ usage }: Command): readonly (string | undefined)[] {
  return [...usage.matchAll(/[[<]([a-z-]+)(?:\.\.)?[\]>]/g)].map(([, name]) => name)
}

function withOptions(own: Argv, command: Command): Argv {
  const positional = positionalsOf(command)
  for (const [name, options] of Object.entries(command.options)) {
    if (positional.includes(name)) own.positional(name, options as never)
    else own.option(name, options)
  }
  for (const [line, what] of command.examples) own.example(line, what)
  return own
}

/** yargs counts arguments; which one is missing stands in the usage of the command. Null where something else is wrong. */
function missingArgument(
  message: string | null,
  commands: readonly Command[],
  argv: readonly string[],
): UsageError | null {
  const [, got] = /^Not enough non-option arguments: got (\d+)/.exec(message ?? '') ?? []
  const command = commands.find(
    (one) => nameOf(one) === argv.find((word) => commands.some((known) => nameOf(known) === word)),
  )
  if (got === undefined || command === undefined) return null
  const wanted = [...command.usage.matchAll(/<[^>]+>/g)].map(([argument]) => argument)
  const missing = wanted.slice(Number(got))
  const name = nameOf(command)
  return new UsageError(
    'EW_USAGE',
    `${name}: ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
    { next: `Write \`eventward ${command.usage}\`; see \`eventward ${name} --help\`.`, details: { missing } },
  )
}

/** yargs tells by text alone what was wrong; its locale is pinned. */
function usageError(message: string, commands: readonly Command[]): UsageError {
  const [, list] = /^Unknown (?:arguments?|commands?): (.+)$/s.exec(message) ?? []
  if (list === undefined) {
    return new UsageError('EW_USAGE', inWords(message), {
      next: 'Run `eventward --help` to see what there is.',
    })
  }
  const [unknown = list] = list.split(', ')
  const names = commands.map(nameOf)
  const options = [GLOBAL_OPTIONS, ...commands.map((one) => one.options)]
    .flatMap((known) => Object.keys(known))
    .map((name) => `--${name}`)
  const hint = nearestName(unknown, names) || nearestName(`--${unknown}`, options)
  return new UsageError('EW_USAGE', `unknown command or option ${JSON.stringify(unknown)}`, {
    next: `${hint}Run \`eventward --help\` to see what there is.`,
    details: { unknown: list.split(', ') },
  })
}

/** yargs' own words on one line; some of them are not for people. */
function inWords(message: string): string {
  if (message.startsWith('Not enough non-option arguments')) return 'an argument is missing'
  const line = message
    .split('\n')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(' ')
  return line.charAt(0).toLowerCase() + line.slice(1)
}
