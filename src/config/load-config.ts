import { relative } from 'node:path'
import { EventwardError, UsageError } from '../errors/index.js'
import type { LoadedConfig } from './eventward-config.js'
import { findConfig } from './find-config.js'
import { loadModule } from './load-module.js'
import { parseConfig } from './parse-config.js'
import { placeOf } from './place-of-error.js'

/**
 * Finds, loads and checks `eventward.config.ts`. Runs the code in it.
 *
 * @param path the file, absolute or relative to `cwd`; without it the usual names are looked for in `cwd`.
 * @throws UsageError EW_CONFIG_MISSING; EW_CONFIG_INVALID where it does not compile, throws, or is no configuration.
 */
export async function loadConfig(path: string | undefined, cwd: string): Promise<LoadedConfig> {
  const file = findConfig(path, cwd)
  let exported: unknown
  try {
    exported = await loadModule(file)
  } catch (cause) {
    throw loadError(cause, file, cwd)
  }
  return parseConfig(exported, file, relative(cwd, file))
}

/** An error of ours, thrown by a definition, keeps its code and its advice: it only learns where it comes from. */
function loadError(cause: unknown, file: string, cwd: string): UsageError {
  const place = placeOf(cause) ?? { file, line: null, column: null }
  const where = [relative(cwd, place.file), place.line, place.column]
    .filter((part) => part !== null)
    .join(':')
  const ours = cause instanceof EventwardError ? cause : null
  return new UsageError(ours?.code ?? 'EW_CONFIG_INVALID', `${where}: ${reasonOf(cause)}`, {
    next: ours?.next ?? `Correct ${where}.`,
    details: { ...ours?.details, file: place.file, line: place.line },
    cause,
  })
}

/** The first line of what was thrown; a parser's own name for itself tells nothing. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return `threw ${JSON.stringify(cause)}`
  const [line = ''] = cause.message.split('\n')
  const reason = line.replace(/^ParseError: /, '').trim()
  return cause.name === 'Error' || cause instanceof EventwardError ? reason : `${cause.name}: ${reason}`
}
