import type {
  Aggregate,
  ApplyInputs,
  EventInput,
  EventInputs,
  ResidueNames,
  WithBase,
} from './aggregate-types.js'
import { type ApplyInput, byHand } from './apply.js'
import { type BaseInput, entries, withBase } from './base.js'
import { checkDefinition } from './check-definition.js'
import { checkInput } from './check-input.js'
import type { CheckEvent, CheckEvents } from './check-types.js'
import type { HintedEvents } from './event-hints.js'
import type { AggregateDefinition, Assignment, Carried, EventDefinition, Predicate } from './model.js'
import type { AnyTable, TimeColumn } from './table-types.js'
import { type UpcasterInput, upcastsOf } from './upcast.js'

/** What `defineAggregate` takes. */
export interface AggregateInput<
  Name extends string,
  T extends AnyTable,
  Events extends EventInputs,
  Residue extends ResidueNames,
  Base extends BaseInput = Record<never, never>,
> {
  /** The type of its streams: `Subscription`. */
  readonly name: Name
  /** The legacy table, from the generated `eventward.tables.ts`. */
  readonly table: T
  /** The events that its rows are made of, by name, in the past tense; the order is that of recognition. */
  readonly events: Events & CheckEvents<Events, T, ResidueNameOf<Residue>>
  /** The column that each write sets to its time. It travels in the last event of a write, by itself. */
  readonly updatedAt?: TimeColumn<T>
  /** The zone in which `timestamp` and `date` columns bound to `occurredAt` are read. @default 'UTC' */
  readonly timeZone?: string
  /** What becomes of writes straight to the row once events are the truth. @default 'capture' */
  readonly directWrites?: 'capture' | 'refuse'
  /** Other names for what no event explains. @default { changed: 'Changed', deleted: 'Deleted' } */
  readonly residue?: Residue
  /** What all events carry and set, where they don't say otherwise: `{ data: ['updated_by'] }`. */
  readonly base?: Base & CheckEvent<Base, T>
  /**
   * What events do that `data` and `set` don't say, in code. Such an event is given by commands alone: no write of old code
   * is taken for one. The aggregate is then verified by the replay engine.
   *
   * @example apply: { Credited: (state, event) => ({ balance: plus(state.balance, event.data.amount) }) }
   */
  readonly apply?: ApplyInputs<WithBase<Events, Base>, T>
  /**
   * As what events are read that are stored under a type and schema version that no event has any more: `{ 'Started@1':
   * { to: 'Begun' } }`; a list splits one into several.
   */
  readonly upcasters?: Readonly<Record<`${string}@${number}`, UpcasterInput<NoInfer<keyof Events & string>>>>
}

/**
 * Says which events the rows of a table are made of. All else is derived from it: backfill, capture, verify, history.
 * A wrong definition is refused by the compiler, and again here.
 *
 * @example
 * export const Subscription = defineAggregate({
 *   name: 'Subscription',
 *   table: tables.subscriptions,
 *   events: {
 *     Created: {
 *       creates: true,
 *       data: ['user_id', 'reward_id', 'payment_source_key'],
 *       set: { status: 'unpaid', created_at: occurredAt },
 *     },
 *     Activated: { data: ['stripe_key'], set: { status: 'active', activated_at: occurredAt } },
 *     Deactivated: { set: { status: 'inactive', deactivated_at: occurredAt } },
 *   },
 * })
 *
 * @returns a frozen definition, to be listed in `eventward.config.ts`.
 * @throws UsageError EW_COLUMN_UNKNOWN, EW_COLUMN_TWICE, EW_COLUMN_KEY, EW_COLUMN_GENERATED, EW_CONSTANT,
 *   EW_OCCURRED_AT, EW_EVENT_NAME, EW_EVENT_RESERVED, EW_EVENT_CREATES, EW_ATTRIBUTE_NAME, EW_ATTRIBUTE_TWICE,
 *   EW_UPDATED_AT, EW_KEY_MISSING, EW_DEFINITION for what is no definition at all.
 */
export function defineAggregate<
  const Name extends string,
  T extends AnyTable,
  const Events extends HintedEvents<T>,
  const Residue extends ResidueNames = Record<never, never>,
  const Base extends BaseInput = Record<never, never>,
>(
  input: AggregateInput<Name, T, Events, Residue, Base>,
): Aggregate<Name, T, Extract<WithBase<Events, Base>, EventInputs>> {
  checkInput(input)
  const inputs = Object.entries<EventInput>(input.events)
  const { base, apply, upcasters } = input as {
    readonly base?: BaseInput
    readonly apply?: Readonly<Record<string, ApplyInput>>
    readonly upcasters?: Readonly<Record<string, UpcasterInput>>
  }
  const upcasts = upcastsOf(
    inputs.map(([type, { schemaVersion = 1, from = [], upcast = {} }]) => ({
      type,
      schemaVersion,
      from,
      upcast,
    })),
    upcasters ?? {},
  )
  const definition = Object.freeze({
    name: input.name,
    table: input.table,
    events: Object.freeze(inputs.map(([type, event]) => eventDefinition(type, event, base, apply?.[type]))),
    updatedAt: input.updatedAt ?? null,
    timeZone: input.timeZone ?? 'UTC',
    directWrites: input.directWrites ?? 'capture',
    residue: Object.freeze({
      changed: input.residue?.changed ?? 'Changed',
      deleted: input.residue?.deleted ?? 'Deleted',
    }),
    ...(upcasts.length === 0 ? {} : { upcasts }),
  } satisfies AggregateDefinition)
  checkDefinition(definition, definition.table)
  return definition
}

/** The two names that no declared event may bear. */
export type ResidueNameOf<Residue> =
  | (Residue extends { readonly changed: infer Changed extends string } ? Changed : 'Changed')
  | (Residue extends { readonly deleted: infer Deleted extends string } ? Deleted : 'Deleted')

function eventDefinition(
  type: string,
  input: EventInput,
  base: BaseInput | undefined,
  apply: ApplyInput | undefined,
): EventDefinition {
  const { event, inherited } = base === undefined ? { event: input, inherited: [] } : withBase(input, base)
  const facts = Object.keys(event.facts ?? {})
  return Object.freeze({
    type,
    schemaVersion: event.schemaVersion ?? 1,
    creates: event.creates ?? false,
    data: Object.freeze(carried(event.data ?? [])),
    facts: Object.freeze(facts),
    // The schemas themselves stay as they are: they belong to another library, which may keep state in them.
    ...(event.facts === undefined ? {} : { factSchemas: Object.freeze({ ...event.facts }) }),
    set: Object.freeze(Object.entries(event.set ?? {}).map(assignment)),
    when: event.when === undefined ? null : frozenPredicate(event.when),
    ...(inherited.length === 0 ? {} : { inherited: Object.freeze(inherited) }),
    ...(apply === undefined ? {} : { apply: byHand(apply) }),
  })
}

function carried(data: NonNullable<EventInput['data']>): readonly Carried[] {
  return entries(data).map(([attribute, column]) => Object.freeze({ attribute, column }))
}

function assignment([column, value]: readonly [string, NonNullable<EventInput['set']>[string]]): Assignment {
  if (typeof value !== 'object' || value === null) return Object.freeze({ kind: 'constant', column, value })
  if (value.kind === 'occurredAt') return Object.freeze({ kind: 'occurredAt', column })
  return Object.freeze({ kind: 'lookup', column, table: value.table, where: value.where })
}

/** One written by hand may still be changed by whoever wrote it. */
function frozenPredicate(predicate: Predicate): Predicate {
  switch (predicate.op) {
    case 'and':
    case 'or':
      return Object.freeze({ op: predicate.op, of: Object.freeze(predicate.of.map(frozenPredicate)) })
    case 'not':
      return Object.freeze({ op: 'not', of: frozenPredicate(predicate.of) })
    default:
      return Object.freeze({ ...predicate })
  }
}
