import type { Options } from 'yargs'
import { UsageError } from '../src/errors/index.js'

/** Options of every command. */
export const GLOBAL_OPTIONS = {
  config: {
    type: 'string',
    requiresArg: true,
    describe: 'The configuration; eventward.config.ts in this folder where none is named',
  },
  url: {
    type: 'string',
    requiresArg: true,
    describe: 'PostgreSQL URL; beats the configuration, which beats DATABASE_URL and PG*',
  },
  'env-file': { type: 'string', requiresArg: true, describe: 'File of NAME=value lines to read first' },
  json: { type: 'boolean', default: false, describe: 'One JSON document on stdout' },
  quiet: { type: 'boolean', default: false, describe: 'No progress and no notices' },
  verbose: { type: 'boolean', default: false, describe: 'Stack traces, and the causes of an error' },
} as const satisfies Record<string, Options>

/** The tables to work on, as positional arguments. */
export const TABLES = {
  type: 'string',
  array: true,
  describe: 'Tables, named as in the configuration: orders, app.orders; all of them where none is named',
} as const satisfies Options

/** One table. */
export const TABLE = {
  type: 'string',
  demandOption: true,
  describe: 'A table, named as in the configuration: orders, app.orders',
} as const satisfies Options

/** A whole number of at least `min`. */
export function wholeNumber(name: string, describe: string, min = 1) {
  const coerce = (given: string): number => {
    const value = Number(given)
    if (/^\d+$/.test(given) && Number.isSafeInteger(value) && value >= min) return value
    throw new UsageError('EW_USAGE', `--${name} takes a whole number from ${min}, not ${given}`, {
      next: `Write --${name} ${min}, for example.`,
      details: { option: name },
    })
  }
  return { type: 'string', requiresArg: true, describe, coerce } as const
}

/** `--tables a,b c` as a list. */
export function splitNames(given: readonly string[] | undefined): readonly string[] | undefined {
  return given?.flatMap((names) => names.split(',')).filter((name) => name !== '')
}
