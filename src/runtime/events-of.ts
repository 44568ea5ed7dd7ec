import type { Knex } from 'knex'
import type { AggregateDefinition, AggregateRow, AnyAggregate } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import type { AnyCommand } from './any-command.js'
import { callCommand } from './call-command.js'
import { ONLY, planOf } from './command-plan.js'
import type {
  AppendedEvent,
  CallOptions,
  CarriedBy,
  CreatingType,
  EventNames,
  EventOf,
  FactsOf,
  Flat,
  KeyInput,
} from './command-types.js'

/** One of an aggregate's events: to react to, to project, or to be created. */
export interface EventHandle<A extends AnyAggregate = AnyAggregate, Type extends string = string> {
  readonly kind: 'event'
  readonly aggregate: A
  readonly type: Type
  /**
   * Creates the event without a command: locks the row, applies the event, writes the row (and, where it creates, fills in
   * a key that the table gives), and hands it to whoever takes part: all in one transaction, its own or the given one.
   *
   * @throws as `Command.call`
   */
  create(
    knex: Knex | Knex.Transaction,
    input: CreateInput<A, Type>,
    options?: CallOptions,
  ): Promise<AppendedEvent<A, Type>>
}

/** The key, the attributes and the facts, side by side. A creating event may leave the key to the table's default. */
export type CreateInput<A extends AnyAggregate, Type extends string> = Flat<
  (Type extends CreatingType<A> ? Partial<KeyInput<A>> : KeyInput<A>) &
    Given<CarriedBy<EventOf<A, Type>, AggregateRow<A>>> &
    Given<FactsOf<EventOf<A, Type>>>
>
type Given<T> = string extends keyof T ? unknown : T

/** What stands for whatever no event explains, under its usual names. */
type ResidueType = 'Changed' | 'Deleted'

/** An event that only triggers and repairs write: it can be reacted to. */
export type ResidueHandle<A extends AnyAggregate, Type extends string> = Omit<EventHandle<A, Type>, 'create'>

/** An aggregate's events by name. */
export type EventHandles<A extends AnyAggregate> = {
  readonly [Type in EventNames<A>]: EventHandle<A, Type>
} & { readonly [Type in Exclude<ResidueType, EventNames<A>>]: ResidueHandle<A, Type> }

/**
 * The events of an aggregate, to be named in rules, projections and tests, or created as they are.
 *
 * @example
 * const { Activated } = eventsOf(Subscription)
 * const event = await Activated.create(knex, { id: 12, stripe_key: 'sub_66123' }, { metadata: { notification_id: 33456 } })
 * event.stripe_key
 */
export function eventsOf<const A extends AnyAggregate>(aggregate: A): EventHandles<A> {
  const definition: AggregateDefinition = aggregate
  const declared = definition.events.map(({ type }) => [type, handleOf(definition, type)])
  const { changed, deleted } = definition.residue
  const residue = [changed, deleted].map((type) => [
    type,
    Object.freeze({ kind: 'event', aggregate: definition, type }),
  ])
  return Object.freeze(Object.fromEntries([...declared, ...residue])) as EventHandles<A>
}

function handleOf(aggregate: AggregateDefinition, type: string) {
  const event = aggregate.events.find((candidate) => candidate.type === type)
  const attributes = event?.data.map(({ attribute }) => attribute) ?? []
  const facts = event?.facts ?? []
  return Object.freeze({
    kind: 'event',
    aggregate,
    type,
    async create(knex: Knex, input: Readonly<Record<string, unknown>>, options: CallOptions = {}) {
      const names = [...aggregate.table.key, ...attributes, ...facts]
      const stranger = Object.keys(input).find((name) => !names.includes(name))
      if (stranger !== undefined) throw noAttribute(aggregate, type, stranger)
      const command: AnyCommand = {
        aggregate,
        creates: event?.creates === true,
        build: () => ({ type, data: pick(input, attributes), facts: pick(input, facts) }),
      }
      const { expectedVersion, ...others } = options
      const key = pick(input, aggregate.table.key)
      const run = { ...others, expectedVersions: { [ONLY]: expectedVersion } }
      const appended = await callCommand(planOf(command), { knex, input: key, options: run })
      return appended?.[ONLY]?.[0]
    },
  })
}

function pick(input: Readonly<Record<string, unknown>>, names: readonly string[]) {
  return Object.fromEntries(names.filter((name) => name in input).map((name) => [name, input[name]]))
}

function noAttribute(aggregate: AggregateDefinition, type: string, name: string): UsageError {
  return new UsageError('EW_COMMAND_EVENT', `${aggregate.name}.${type}: ${name} is no attribute of it`, {
    next: 'Correct the call: nothing was written.',
    details: { aggregate: aggregate.name, type, attribute: name },
  })
}
