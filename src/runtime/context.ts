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

/** What comes of work: a promise of whatever could be awaited. */
type Begun<T> = T extends PromiseLike<infer Result> ? Promise<Result> : T

/**
 * Runs `work` in a context: events written by commands and, through `withEvents`, by any other write meanwhile bear it
 * as metadata. Contexts nest; the inner one wins. A query that `work` returns is begun here: knex's run only once they
 * are awaited, which would be outside.
 *
 * @example
 * app.use((request, _, next) => withContext({ actor: request.user.id, requestId: request.id }, next))
 */
export function withContext<T>(context: Context, work: () => T): Begun<T> {
  return storage.run({ ...storage.getStore(), ...context }, () => begun(work()))
}

/** Asks a lazy thenable for its result, and so begins it. The cast: its type says what `then` gives. */
function begun<T>(result: T): Begun<T> {
  const lazy = result as { readonly then?: unknown } | null | undefined
  if (typeof lazy !== 'object' || typeof lazy?.then !== 'function' || result instanceof Promise) {
    return result as Begun<T>
  }
  const thenable = result as unknown as PromiseLike<unknown>
  return new Promise((resolve, reject) => {
    thenable.then(resolve, reject)
  }) as Begun<T>
}

/** The metadata of the present context; null outside of one. */
export function contextMetadata(): Readonly<Record<string, unknown>> | null {
  const context = storage.getStore()
  if (context === undefined) return null
  const { requestId, ...others } = withoutOwn(context)
  return requestId === undefined ? others : { ...others, request: requestId }
}

/**
 * What eventward says of an event in its metadata, and acts upon. Whoever hands on the metadata of one event to the next
 * doesn't mean these: another event's jobs are not this one's. `eventward.captured_metadata` leaves out the same.
 */
const OWN: ReadonlySet<string> = new Set(
  [
    ['source', 'definition', 'writer', 'shape', 'cold', 'inferred', 'existing'],
    ['movedFrom', 'movedTo', 'enqueued', 'imported'],
  ].flat(),
)

/** What an application says of an event, without what is eventward's to say. */
export function withoutOwn(metadata: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !OWN.has(name)))
}

/** The same as the text of `eventward.metadata`. */
export function contextJson(): string | null {
  const metadata = contextMetadata()
  return metadata === null ? null : jsonText(metadata, 'the context')
}
