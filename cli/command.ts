import type { InferredOptionTypes, Options } from 'yargs'
import type { EventwardError } from '../src/errors/index.js'
import type { Host } from './host.js'

/** What a command came to: plain data, and the same for people. */
export interface Outcome {
  /** False where a difference was found or a gate refused: exit status 1, unless `error` says another. */
  readonly ok: boolean
  /** Members of the document, beside `v`, `command` and `ok`. */
  readonly members: Readonly<Record<string, unknown>>
  /** For people, on stdout. Called only without `--json`. */
  readonly text: () => string
  /** Why it isn't ok; printed after the text, and a member of the document. */
  readonly error?: EventwardError
}

/** Options that every command has, as parsed. */
export interface GlobalOptions {
  readonly config: string | undefined
  readonly url: string | undefined
  readonly 'env-file': string | undefined
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
}

type OptionSet = Readonly<Record<string, Options>>

/** One command: options, one call into `src/`, and how its result is shown. */
export interface Command<Known extends OptionSet = OptionSet> {
  /** As yargs reads it: `backfill [table..]`. */
  readonly usage: string
  readonly summary: string
  /** A command line and what it does. */
  readonly examples: readonly (readonly [string, string])[]
  readonly options: Known
  readonly run: (args: InferredOptionTypes<Known> & GlobalOptions, host: Host) => Promise<Outcome>
}

/** Types a command by its options. */
export function command<const Known extends OptionSet>(given: Command<Known>): Command {
  // yargs checks at run time what the type says here, so that one list can hold commands of all shapes.
  return given as unknown as Command
}

/** The word by which a command is called. */
export function nameOf({ usage }: Pick<Command, 'usage'>): string {
  return usage.split(' ')[0] ?? usage
}
