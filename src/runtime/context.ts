import { AsyncLocalStorage } from 'node:async_hooks'
import { jsonText } from './json-text.js'

/** Who acts, and why: what becomes metadata of the events that are written meanwhile. */
export interface Context {
  /** Who is acting: a user's id, a job's name. */
  readonly actor?: unknown
  /** The request; kept as `request`. */
  readonly requestId?: unknown
  /** What belongs together across services. */
  readonly correlation?: unknown
  /** What this is a consequence of. */
  readonly causation?: unknown
  /** Anything else of use in an audit log, as JSON has it. */
  readonly [name: string]: unknown
}

const storage = new AsyncLocalStorage<Context>()

/**
 * Runs `work` in a context: events written by commands and, through `withEvents`, by any other write meanwhile bear it
 * as metadata. Contexts nest; the inner one wins.
 *
 * @example
 * app.use((request, _, next) => withContext({ actor: request.user.id, requestId: request.id }, next))
 */
export function withContext<T>(context: Context, work: () => T): T {
  return storage.run({ ...storage.getStore(), ...context }, work)
}

/** The metadata of the present context; null outside of one. */
export function contextMetadata(): Readonly<Record<string, unknown>> | null {
  const context = storage.getStore()
  if (context === undefined) return null
  const { requestId, ...others } = context
  return requestId === undefined ? others : { ...others, request: requestId }
}

/** The same as the text of `eventward.metadata`. */
export function contextJson(): string | null {
  const metadata = contextMetadata()
  return metadata === null ? null : jsonText(metadata, 'the context')
}
