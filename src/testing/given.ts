import type { AnyAggregate } from '../definition/index.js'
import type {
  AnyCommandLike,
  FitsCommand,
  GivenEvent,
  InputOf,
  JointCommandOf,
  LooseEvents,
  RunOf,
  SingleCommand,
  WhenOptions,
} from './given-types.js'
import { type Called, type Past, rehearsed } from './rehearsed.js'

type Subject = AnyAggregate | AnyCommandLike

/** The events of an aggregate, or of a command's: a list, or one for each of several. */
type EventsOf<S> =
  S extends JointCommandOf<infer As>
    ? { readonly [Slot in keyof As]?: readonly GivenEvent<As[Slot]>[] }
    : S extends SingleCommand<infer A>
      ? readonly GivenEvent<A>[]
      : S extends AnyAggregate
        ? readonly GivenEvent<S>[]
        : never

type CommandsOf<S> =
  S extends JointCommandOf<infer As>
    ? JointCommandOf<As>
    : S extends SingleCommand<infer A>
      ? SingleCommand<A>
      : S extends AnyAggregate
        ? SingleCommand<S>
        : never

/** Events whose command is still to be said. */
export interface Given<C extends AnyCommandLike> {
  /** The command, and what it is called with. */
  when<One extends C>(command: One, input: InputOf<One>, options?: WhenOptions<One>): RunOf<One>
}

/** The same, where the aggregate of the events is not known before the command. */
export interface LooselyGiven<E> {
  when<One extends AnyCommandLike>(
    command: One & FitsCommand<E, One>,
    input: InputOf<One>,
    options?: WhenOptions<One>,
  ): RunOf<One>
}

/**
 * What has happened before a command is called, to see what comes out: without a server, a clock or a transaction.
 *
 * @example
 * await given(Subscription, [{ type: 'Created', data: { user_id: 123, reward_id: 334, payment_source_key: null } }])
 *   .when(Activate, { id: 12, stripe_key: 'sub_66123' })
 *   .then([{ type: 'Activated', data: { stripe_key: 'sub_66123' } }])
 *
 * @param subject the aggregate whose events these are, or the command: one over several aggregates takes the events of
 * each under its name.
 * @throws UsageError EW_TESTING_GIVEN (when it's run) for events that can't have happened one after the other.
 */
export function given(): Given<AnyCommandLike>
export function given<const E extends LooseEvents>(events: E): LooselyGiven<E>
export function given<S extends Subject>(subject: S, events?: EventsOf<NoInfer<S>>): Given<CommandsOf<S>>
export function given(first?: object, second?: object): object {
  const past: Past = isSubject(first)
    ? { subject: first, events: (second ?? []) as LooseEvents }
    : { subject: null, events: (first as LooseEvents | undefined) ?? [] }
  return {
    when: (command: object, input: unknown, options: Called['options'] = {}) =>
      rehearsed(past, { command, input, options }),
  }
}

/** Lists and records of lists are events; an aggregate and a command are none. */
function isSubject(first: object | undefined): first is object {
  if (first === undefined || Array.isArray(first)) return false
  return 'call' in first || !Object.values(first).every((one) => Array.isArray(one))
}
