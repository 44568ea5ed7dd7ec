import type { Knex } from 'knex'
import type { AggregateDefinition } from '../definition/index.js'
import type { Dispatcher } from './define-dispatcher.js'

export interface WorkerOptions {
  /** A PostgreSQL URL of the role that owns the schema eventward. Without one, the driver reads PG*. */
  readonly url: string | undefined
  readonly dispatcher: Dispatcher
  /** What rules about everything are about. */
  readonly aggregates?: readonly AggregateDefinition[]
  /** What reactors write and call commands with. @default one of the worker's own, on `url` */
  readonly knex?: Knex
  /** Jobs at once. @default 4 */
  readonly concurrency?: number
  /** Between two looks at the log, in ms. Jobs of commands don't wait for it. @default 1000 */
  readonly pollMs?: number
  readonly signal?: AbortSignal
  readonly on?: (happened: WorkerEvent) => void
}

/** What a worker did. Positions are texts. */
export type WorkerEvent =
  /** Jobs were made for events of the log. */
  | { readonly kind: 'enqueued'; readonly reactor: string; readonly events: number }
  | { readonly kind: 'done'; readonly reactor: string; readonly position: string }
  /** It's tried `left` more times; none: it's left to a person. */
  | {
      readonly kind: 'failed'
      readonly reactor: string
      readonly position: string
      readonly error: string
      readonly left: number
    }
  /** Jobs of a worker that died were let go of. */
  | { readonly kind: 'released'; readonly worker: string }
  /** The log could not be read for a reactor: it's tried again after a while. */
  | { readonly kind: 'unread'; readonly reactor: string; readonly error: unknown }

export interface ReactionWorker {
  /** Does all that is there by now, and all that comes of it. What fails is tried again another time. */
  once(): Promise<void>
  /** Works until the signal is aborted; jobs under way are ended. @throws where its connections are lost for good. */
  run(): Promise<void>
  /** Ends its connections. */
  close(): Promise<void>
}
