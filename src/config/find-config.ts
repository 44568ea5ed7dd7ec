import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { UsageError } from '../errors/index.js'

/** The names that are looked for, in this order. */
export const CONFIG_NAMES = [
  'eventward.config.ts',
  'eventward.config.mts',
  'eventward.config.js',
  'eventward.config.mjs',
] as const

/**
 * Finds the configuration: the file named, else one of `CONFIG_NAMES` in `cwd`. Parent folders are not searched: which
 * database is touched must be seen from where one stands.
 *
 * @returns its absolute path.
 * @throws UsageError EW_CONFIG_MISSING
 */
export function findConfig(path: string | undefined, cwd: string): string {
  const candidates = (path === undefined ? CONFIG_NAMES : [path]).map((name) => resolve(cwd, name))
  const found = candidates.find((candidate) => existsSync(candidate))
  if (found !== undefined) return found
  const what =
    path === undefined ? `there is no ${CONFIG_NAMES[0]} in ${cwd}` : `there is no file ${candidates[0]}`
  throw new UsageError('EW_CONFIG_MISSING', what, {
    next: 'Run `eventward init` to write one, or name it with --config.',
    details: { candidates },
  })
}
