import { UsageError } from '../errors/index.js'
import { type Binding, eventKey } from './command-binding.js'
import { type Named, unregistered, wrongEvent } from './command-errors.js'
import type { Target } from './command-plan.js'
import type { Built } from './planned-event.js'

/**
 * Refuses what types would have: an event of another aggregate, a creation of a row that is there.
 *
 * @throws UsageError EW_COMMAND_EVENT
 */
export function refuseWrongEvents(
  { creates, deletes, named }: Target,
  { model }: Pick<Binding, 'model'>,
  built: readonly Built[],
): void {
  built.forEach(({ type }, index) => {
    const event = model.events.find((candidate) => candidate.type === type)
    if (event === undefined) throw wrongEvent(named, `gave ${JSON.stringify(type)}, which is no event`)
    const mayCreate = creates && index === 0
    if (mayCreate && event.effect !== 'creates') throw wrongEvent(named, `begins a row with ${type}`)
    if (!mayCreate && event.effect === 'creates')
      throw wrongEvent(named, `gave ${type} for a row that is there`)
  })
  if (creates && deletes) {
    throw new UsageError('EW_COMMAND_EVENT', `${named.where} creates and deletes`, {
      next: 'Make two commands of it.',
    })
  }
}

/** Whether the database knows what the event means, as this code does. */
export function isRegistered({ model, unregistered: unknown }: Binding, { type }: Built): boolean {
  const event = model.events.find((candidate) => candidate.type === type)
  return event !== undefined && !unknown.has(eventKey(type, event.schemaVersion))
}

/** @throws GateError EW_DEFINITION_UNREGISTERED for the first event that nobody could fold. */
export function refuseUnregistered(binding: Binding, built: readonly Built[], named: Named): void {
  const unknown = built.find((event) => !isRegistered(binding, event))
  if (unknown === undefined) return
  const event = binding.model.events.find(({ type }) => type === unknown.type)
  throw unregistered(named, unknown.type, event?.schemaVersion ?? 1)
}
