import type { NamedDispatcher } from '../config/index.js'
import { UsageError } from '../errors/index.js'
import type { Dispatcher } from './define-dispatcher.js'

/** The dispatcher of a configuration; null where it has none. @throws UsageError EW_REACTOR for one that isn't ours. */
export function dispatcherOf(named: NamedDispatcher | null | undefined): Dispatcher | null {
  if (named === null || named === undefined) return null
  if (isDispatcher(named)) return named
  throw new UsageError('EW_REACTOR', 'the dispatcher was not made with defineDispatcher', {
    next: 'Make it with defineDispatcher.',
  })
}

/** By its form: it may have been made by another copy of the package. */
function isDispatcher(one: NamedDispatcher): one is Dispatcher {
  return 'rules' in one && Array.isArray(one.rules) && 'attach' in one && typeof one.attach === 'function'
}
