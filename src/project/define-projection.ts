import type { Knex } from 'knex'
import type { AggregateDefinition, AnyAggregate } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import type { AppendedEvent, EventNames } from '../runtime/index.js'

/** What a handler writes with. */
export interface ProjectionContext {
  /** The transaction in which the event counts as written. */
  readonly trx: Knex.Transaction
  /** The table to write to, with its schema: `public.subscriptions_per_reward__g2`. Never the name of the view. */
  readonly table: string
}

type Handler<Event> = (event: Event, context: ProjectionContext) => PromiseLike<unknown> | unknown

/** An event by its handle (`eventsOf`), residue included. */
interface NamedEvent<A extends AnyAggregate = AnyAggregate, Type extends string = string> {
  readonly kind: 'event'
  readonly aggregate: A
  readonly type: Type
}
type EventOf<A extends AnyAggregate, Type extends string> =
  Type extends EventNames<A> ? AppendedEvent<A, Type> : AppendedEvent
type OneOf<Handle> = Handle extends NamedEvent<infer A, infer Type> ? EventOf<A, Type> : never

/** Says what an event, each of several, or each declared event of an aggregate does to the table. */
export interface OnEvent {
  <A extends AnyAggregate, Type extends string>(
    event: NamedEvent<A, Type>,
    handle: Handler<EventOf<A, Type>>,
  ): void
  <const Events extends readonly NamedEvent[]>(events: Events, handle: Handler<OneOf<Events[number]>>): void
  <const A extends AnyAggregate>(aggregate: A, handle: Handler<AppendedEvent<A, EventNames<A>>>): void
}

export interface ProjectionInput {
  /** The name by which it's read: a view. Lower case letters, digits and `_`. */
  readonly name: string
  /** @default 'public' */
  readonly schema?: string
  /** Another number where handlers or table changed: then `eventward replay` builds it anew. */
  readonly version: number
  /**
   * `inline`: in the transaction of each command's events; what old code writes directly (events by triggers) follows by
   * `eventward work`, and a command first writes what is still to come of its own stream, so that the order within each
   * stream is kept. `async`: by `eventward work` alone.
   */
  readonly mode: 'inline' | 'async'
  /** Makes the table under the name that it's given, which is another one for each generation; the builder has its schema. */
  readonly create: (schema: Knex.SchemaBuilder, table: string) => PromiseLike<unknown>
  /** Names events and what each does. Events of a backfill count: they're history. */
  readonly on: (on: OnEvent) => void
}

interface Rule {
  readonly aggregate: AggregateDefinition
  readonly types: readonly string[]
  readonly handle: Handler<AppendedEvent>
}

/** A projection as it was defined. */
export interface Projection {
  readonly kind: 'projection'
  readonly name: string
  readonly schema: string
  readonly version: number
  readonly mode: 'inline' | 'async'
  readonly create: ProjectionInput['create']
  readonly rules: readonly Rule[]
}

/**
 * A table that is derived from events, beyond the row. The view of its name shows the live generation; `eventward replay`
 * builds the next one while this one is read.
 *
 * @example
 * export const PerReward = defineProjection({
 *   name: 'activations_per_reward', version: 1, mode: 'async',
 *   create: (schema, table) => schema.createTable(table, (t) => { t.text('id').primary(); t.text('stripe_key') }),
 *   on: (on) => on(Events.Activated, (event, { trx, table }) =>
 *     trx(table).insert({ id: event.id, stripe_key: event.stripe_key }).onConflict('id').merge()),
 * })
 * @throws UsageError EW_PROJECTION for a name or version that is none, or where it handles nothing.
 */
export function defineProjection(input: ProjectionInput): Projection {
  const { name, schema = 'public', version, mode, create } = input
  // With `__g1` behind it, and what knex puts behind that for an index, it's still a name of 63 bytes.
  if (!/^[a-z_][a-z0-9_]{0,39}$/.test(name) || !/^[a-z_][a-z0-9_]*$/.test(schema)) {
    throw refused(name, 'is no name for a view', 'Write 1 to 40 lower case letters, digits and _.')
  }
  if (!Number.isInteger(version) || version < 1) {
    throw refused(name, `has the version ${version}`, 'Write 1, 2, ...')
  }
  const rules: Rule[] = []
  const on = (what: NamedEvent | readonly NamedEvent[] | AggregateDefinition, handle: Rule['handle']) => {
    if ('events' in what) {
      rules.push({ aggregate: what, types: what.events.map(({ type }) => type), handle })
    } else {
      for (const { aggregate, type } of [what].flat() as readonly NamedEvent[]) {
        rules.push({ aggregate, types: [type], handle })
      }
    }
  }
  // The types of handlers are the compiler's matter: here each is called with events of its own rule alone.
  input.on(on as unknown as OnEvent)
  if (rules.length === 0) throw refused(name, 'handles no event', 'Name an event with on(...).')
  return Object.freeze({ kind: 'projection', name, schema, version, mode, create, rules })
}

function refused(name: string, what: string, next: string): UsageError {
  return new UsageError('EW_PROJECTION', `projection ${JSON.stringify(name)} ${what}`, { next })
}
