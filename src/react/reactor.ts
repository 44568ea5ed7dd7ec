import type { Knex } from 'knex'
import { UsageError } from '../errors/index.js'

/** What an asynchronous reactor knows beside the event. */
export interface ReactionContext {
  /** The same for every try at this event: to be given to whoever can tell a repetition by it. */
  readonly key: string
  /** 1 for the first try. */
  readonly attempt: number
  /** To read, write and call commands with. A transaction where the reactor has `transaction: true`. */
  readonly knex: Knex | Knex.Transaction
}

/** What a synchronous reactor (a trigger) knows beside the event. */
export interface TriggerContext {
  /** The transaction of the event: what is thrown undoes it, and the row with it. */
  readonly trx: Knex.Transaction
}

export interface ReactorOptions {
  /**
   * Events of one stream one after the other, in their order: a later one waits until the earlier one is handled, or
   * discarded. Enqueued by `eventward work` alone.
   * @default false
   */
  readonly ordered?: boolean
  /**
   * Called in a transaction in which the event counts as handled: what it writes there is written once.
   * @default false: at least once
   */
  readonly transaction?: boolean
  /**
   * Begins with the first event there is, those included that a backfill or a repair made.
   * @default false: with what comes after `eventward work` first knew it
   */
  readonly backfill?: boolean
  /** Tries before it is left to a person (`eventward work failed`), with a growing pause between them: 1 to 1,000. @default 25 */
  readonly maxAttempts?: number
}

/** A reactor that is called after the event's transaction, by `eventward work`. */
export interface Reactor<Event = never> extends Required<ReactorOptions> {
  readonly kind: 'reactor'
  readonly name: string
  readonly handle: (event: Event, context: ReactionContext) => unknown
}

/** A class with a static `call`, or an object with a name and a `call`. */
export interface CalledReactor<Event> {
  readonly name: string
  readonly call: (event: Event, context: ReactionContext) => unknown
}

/** How often a reactor is tried where it doesn't say. */
const MAX_ATTEMPTS = 25

/**
 * Names a reactor, and says how it is to be called. The name is what jobs and places in the log are kept under: it stays
 * the same when code is moved or minified.
 *
 * @example
 * reactor('welcome', async (event: AppendedEvent<typeof User, 'Registered'>) => mailer.welcome(event.email), { ordered: true })
 * @throws UsageError EW_REACTOR
 */
export function reactor<Event>(
  name: string,
  handle: (event: Event, context: ReactionContext) => unknown,
  options: ReactorOptions = {},
): Reactor<Event> {
  // A task's identifier has 128 characters at most.
  if (!/^[A-Za-z_][\w.:-]{0,99}$/.test(name)) {
    throw new UsageError('EW_REACTOR', `${JSON.stringify(name)} is no name for a reactor`, {
      next: 'Write 1 to 100 letters, digits and _ . : -, beginning with a letter.',
      details: { reactor: name },
    })
  }
  const { ordered = false, transaction = false, backfill = false, maxAttempts = MAX_ATTEMPTS } = options
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1 || maxAttempts > 1_000) {
    throw new UsageError('EW_REACTOR', `reactor ${name} is to be tried ${maxAttempts} times`, {
      next: 'Write 1 to 1000.',
      details: { reactor: name },
    })
  }
  return Object.freeze({ kind: 'reactor', name, handle, ordered, transaction, backfill, maxAttempts })
}

/** One reactor for one class, however many rules name it. */
const made = new WeakMap<object, Reactor<never>>()

/** A reactor in whatever form it was given. */
export function reactorOf(given: Reactor<never> | CalledReactor<never>): Reactor<never> {
  if ('kind' in given) return given
  const known = made.get(given)
  if (known !== undefined) return known
  // Every function has a `call`, which is JavaScript's: the name of one changes with the code around it.
  const own = typeof given?.call === 'function' && given.call !== Function.prototype.call
  if (own && typeof given.name === 'string' && given.name !== '') {
    const one = reactor(given.name, (event: never, context) => given.call(event, context))
    made.set(given, one)
    return one
  }
  throw new UsageError('EW_REACTOR', 'a rule names a reactor that is none', {
    next: 'Give a class with a static `call`, or name a function: reactor(name, handler).',
  })
}
