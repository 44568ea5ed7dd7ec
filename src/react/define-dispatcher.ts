import type { Knex } from 'knex'
import type { AggregateDefinition, AnyAggregate } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import type { AppendedEvent, EventNames } from '../runtime/index.js'
import { attachDispatcher } from './attach.js'
import { type CalledReactor, type Reactor, reactorOf, type TriggerContext } from './reactor.js'

/** Every event of every aggregate, residue included. */
export const everything = Object.freeze({ kind: 'everything' as const })

/** An event by its handle (`eventsOf`), residue included. */
interface NamedEvent<A extends AnyAggregate = AnyAggregate, Type extends string = string> {
  readonly kind: 'event'
  readonly aggregate: A
  readonly type: Type
}
type EventOf<A extends AnyAggregate, Type extends string> =
  Type extends EventNames<A> ? AppendedEvent<A, Type> : AppendedEvent
type OneOf<Handle> = Handle extends NamedEvent<infer A, infer Type> ? EventOf<A, Type> : never

type Trigger<Event> = (event: Event, context: TriggerContext) => unknown

/** Who reacts to an event: in its transaction, or after it. */
export interface Reactions<Event> {
  /** Called in the event's transaction, in this order. What one of them throws undoes the event. */
  readonly trigger?: readonly Trigger<Event>[]
  /** Enqueued in the event's transaction, called by `eventward work`. */
  readonly async?: readonly (Reactor<Event> | CalledReactor<Event>)[]
}

/** What a rule is about: an event, several, each declared event of an aggregate, or everything. */
type About = NamedEvent | readonly NamedEvent[] | AnyAggregate | typeof everything

type EventsAbout<What> = What extends typeof everything
  ? AppendedEvent
  : What extends readonly NamedEvent[]
    ? OneOf<What[number]>
    : What extends NamedEvent
      ? OneOf<What>
      : What extends AnyAggregate
        ? AppendedEvent<What, EventNames<What>>
        : never

/** Says who reacts to an event, to each of several, to each declared event of an aggregate, or to everything. */
export type OnEvent = <const What extends About>(what: What, reactions: Reactions<EventsAbout<What>>) => void

export interface Rule {
  readonly aggregate: AggregateDefinition | null
  /** Null with the aggregate: all. */
  readonly types: readonly string[] | null
  readonly triggers: readonly Trigger<AppendedEvent>[]
  readonly reactors: readonly Reactor<AppendedEvent>[]
}

/** Rules of who reacts to what. */
export interface Dispatcher {
  readonly kind: 'dispatcher'
  readonly rules: readonly Rule[]
  /** Each reactor of the rules once. */
  readonly reactors: readonly Reactor<AppendedEvent>[]
  /**
   * From now on the commands of this knex, and of its transactions, dispatch their events: triggers are called and jobs
   * enqueued in the transaction of the event. Attached twice it acts once.
   *
   * @returns what takes it off again.
   */
  attach(knex: Knex): () => void
}

/**
 * Says who reacts to which events. Every rule that matches is followed, each reactor once for an event.
 *
 * @example
 * export const dispatcher = defineDispatcher((on) => {
 *   on(Events.Activated, { async: [SubscriptionConfirmation, NewSubscriberNotification] })
 *   on([Events.Activated, Events.Deactivated], { trigger: [(event, { trx }) => countSubscribers(trx, event.id)] })
 *   on(everything, { async: [reactor('audit', writeAuditLog, { ordered: true })] })
 * })
 * dispatcher.attach(knex)
 * @throws UsageError EW_REACTOR for a name that is none, or that two reactors have.
 */
export function defineDispatcher(rules: (on: OnEvent) => void): Dispatcher {
  const all: Rule[] = []
  type Given = NamedEvent | readonly NamedEvent[] | AggregateDefinition | typeof everything
  const on = (what: Given, { trigger = [], async = [] }: Reactions<never>) => {
    const reactions = { triggers: [...trigger], reactors: async.map(reactorOf) }
    // The types of handlers are the compiler's matter: each is called with events of its own rules alone.
    const add = (rule: Pick<Rule, 'aggregate' | 'types'>) =>
      all.push({ ...rule, ...reactions } as unknown as Rule)
    if ('kind' in what && what.kind === 'everything') add({ aggregate: null, types: null })
    else if ('events' in what) add({ aggregate: what, types: what.events.map(({ type }) => type) })
    else {
      for (const { aggregate, type } of [what].flat() as readonly NamedEvent[]) {
        add({ aggregate, types: [type] })
      }
    }
  }
  rules(on as unknown as OnEvent)
  const dispatcher: Dispatcher = Object.freeze({
    kind: 'dispatcher',
    rules: Object.freeze(all),
    reactors: Object.freeze(eachOnce(all)),
    attach: (knex: Knex) => attachDispatcher(knex, dispatcher),
  })
  return dispatcher
}

/** The rules that match an event, in their order. */
export function matching(
  rules: readonly Rule[],
  event: { readonly aggregate: string; readonly type: string },
): readonly Rule[] {
  return rules.filter(
    ({ aggregate, types }) =>
      aggregate === null || (aggregate.name === event.aggregate && types?.includes(event.type) === true),
  )
}

/** Whether a rule hands an event to this reactor. */
export function reactsTo(
  rules: readonly Rule[],
  reactor: string,
  event: Parameters<typeof matching>[1],
): boolean {
  return matching(rules, event).some(({ reactors }) => reactors.some(({ name }) => name === reactor))
}

/** The reactors that these rules name, each once. */
export function reactorsOf(rules: readonly Rule[]): readonly Reactor<AppendedEvent>[] {
  const byName = new Map(rules.flatMap(({ reactors }) => reactors).map((one) => [one.name, one]))
  return [...byName.values()]
}

function eachOnce(rules: readonly Rule[]): readonly Reactor<AppendedEvent>[] {
  const byName = new Map<string, Reactor<AppendedEvent>>()
  for (const one of rules.flatMap(({ reactors }) => reactors)) {
    const known = byName.get(one.name)
    if (known !== undefined && known.handle !== one.handle) {
      throw new UsageError('EW_REACTOR', `two reactors are called ${one.name}`, {
        next: 'Rename one of them: jobs and places in the log are kept under the name.',
        details: { reactor: one.name },
      })
    }
    byName.set(one.name, one)
  }
  return [...byName.values()]
}
