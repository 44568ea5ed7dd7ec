import type { Knex } from 'knex'
import { bindAggregate } from '../bind/index.js'
import type { AggregateDefinition, BoundModel } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import type { EventsAt } from '../log/index.js'
import { connectionOf, readingSession } from '../runtime/index.js'
import { requireEventsTable, storedShapes } from '../store/index.js'
import type { EventName } from './consumers.js'
import { type Dispatcher, matching } from './define-dispatcher.js'

/** What is needed to read events for reactors: where they are, and what their attributes are. */
export interface Ground {
  readonly events: EventsAt
  /** By aggregate type. */
  readonly models: ReadonlyMap<string, BoundModel>
}

/**
 * Binds the aggregates. Takes no lock.
 *
 * @throws UsageError where a definition does not fit its table, or eventward is not installed.
 */
export async function readGround(knex: Knex, aggregates: readonly AggregateDefinition[]): Promise<Ground> {
  return knex.transaction(async (trx) => {
    const session = readingSession(await connectionOf(trx))
    const events = await requireEventsTable(session)
    const models = new Map<string, BoundModel>()
    for (const aggregate of aggregates) {
      const { model } = await bindAggregate(session, aggregate, await storedShapes(session, aggregate.name))
      models.set(aggregate.name, model)
    }
    return { events, models }
  })
}

/**
 * The aggregates whose events reach reactors: those that rules name, and `known` ones for rules about everything.
 *
 * @throws UsageError EW_REACTOR for a rule about everything where none is known.
 */
export function aggregatesOf(
  { rules }: Dispatcher,
  known: readonly AggregateDefinition[],
): readonly AggregateDefinition[] {
  const all = rules.some(({ aggregate }) => aggregate === null)
  if (all && known.length === 0) {
    throw new UsageError('EW_REACTOR', 'a rule is about everything, and no aggregate is known', {
      next: 'Give the aggregates: `aggregates` of the configuration, or of the worker.',
    })
  }
  const named = rules.flatMap(({ aggregate }) => (aggregate === null ? [] : [aggregate]))
  return [...new Map([...(all ? known : []), ...named].map((one) => [one.name, one])).values()]
}

/** The events that a reactor is to get, as they are stored: those of its rules, and older ones that upcasts may make such of. */
export function wantsOf({ models }: Ground, { rules }: Dispatcher, reactor: string): readonly EventName[] {
  return [...models.values()].flatMap((model) => {
    const present = [...model.events.map(({ type }) => type), model.residue.changed, model.residue.deleted]
    const types = present.filter((type) =>
      matching(rules, { aggregate: model.name, type }).some(({ reactors }) =>
        reactors.some(({ name }) => name === reactor),
      ),
    )
    if (types.length === 0) return []
    const older = (model.upcasts ?? []).map(({ type }) => type)
    return [...new Set([...types, ...older])].map((type): EventName => [model.name, type])
  })
}
