import type { AggregateDefinition } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import type { EventName } from '../log/index.js'
import type { EventGround } from '../runtime/index.js'
import { type Dispatcher, reactsTo } from './define-dispatcher.js'

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
export function wantsOf(
  { models }: EventGround,
  { rules }: Dispatcher,
  reactor: string,
): readonly EventName[] {
  return [...models.values()].flatMap((model) => {
    const present = [...model.events.map(({ type }) => type), model.residue.changed, model.residue.deleted]
    const types = present.filter((type) => reactsTo(rules, reactor, { aggregate: model.name, type }))
    if (types.length === 0) return []
    const older = (model.upcasts ?? []).map(({ type }) => type)
    return [...new Set([...types, ...older])].map((type): EventName => [model.name, type])
  })
}
