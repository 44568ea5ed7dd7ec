import type { AggregateDefinition, AnyAggregate, EventDefinition } from '../definition/index.js'
import type { ShownRow } from './any-command.js'
import type { ChangingType, EventOf, State } from './command-types.js'
import { modelOf } from './shown-state.js'

/** The events of which a row tells that they hold: those that set a column to a constant, or to their time. */
export type TellingType<A extends AnyAggregate> = {
  [Type in ChangingType<A>]: EventOf<A, Type> extends { readonly set: Readonly<Record<string, unknown>> }
    ? Type
    : never
}[ChangingType<A>]

/** `isActivated`, for each event that a row can tell of. */
export type Predicates<A extends AnyAggregate> = {
  readonly [Type in TellingType<A> as `is${Capitalize<Type>}`]: (state: State<A>) => boolean
}

/**
 * Questions to a row, inferred from its events: `isActivated(subscription)` holds where the row has the constants that
 * `Activated` sets; of an event that sets none, where the column that it binds to its time is filled.
 *
 * @example
 * const { isActivated } = predicatesOf(Subscription)
 * isActivated(await Subscriptions.find(knex, { id: 12 }))
 */
export function predicatesOf<const A extends AnyAggregate>(aggregate: A): Predicates<A> {
  const definition: AggregateDefinition = aggregate
  const telling = definition.events
    .map(withoutInherited)
    .filter(({ creates, set }) => !creates && set.length > 0)
  return Object.freeze(
    Object.fromEntries(
      telling.map((event) => [
        `is${event.type.charAt(0).toUpperCase()}${event.type.slice(1)}`,
        (state: ShownRow) => holds(event, state),
      ]),
    ),
  ) as unknown as Predicates<A>
}

/** What all events have in common tells none of them. */
function withoutInherited(event: EventDefinition): EventDefinition {
  return { ...event, set: event.set.filter(({ column }) => event.inherited?.includes(column) !== true) }
}

function holds(event: EventDefinition, state: ShownRow): boolean {
  const constants = constantsOf(event, state)
  if (constants.length > 0) return constants.every(([column, value]) => text(state[column] ?? null) === value)
  const bound = event.set.find(({ kind }) => kind === 'occurredAt')
  return bound !== undefined && (state[bound.column] ?? null) !== null
}

/** As the server writes them where the state was read from one; else as the definition does. */
function constantsOf(event: EventDefinition, state: ShownRow): readonly (readonly [string, string | null])[] {
  const bound = modelOf(state)?.events.find(({ type }) => type === event.type)
  if (bound !== undefined) {
    return bound.constants.flatMap(({ column, value }) =>
      event.set.some((own) => own.column === column) ? [[column, value] as const] : [],
    )
  }
  return event.set.flatMap((one) => (one.kind === 'constant' ? [[one.column, text(one.value)] as const] : []))
}

function text(value: string | number | bigint | boolean | null): string | null {
  if (typeof value === 'boolean') return value ? 't' : 'f'
  return value === null ? null : String(value)
}
