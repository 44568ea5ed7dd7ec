import { bindAggregate } from '../bind/index.js'
import type { BoundModel } from '../definition/index.js'
import type { EventsAt } from '../log/index.js'
import { type CallerConnection, readingSession } from '../runtime/index.js'
import { requireEventsTable, storedShapes } from '../store/index.js'
import type { Projection } from './define-projection.js'

/** What is needed to read a projection's events: where they are, and what their attributes are. */
export interface Ground {
  readonly events: EventsAt
  /** By aggregate type. */
  readonly models: ReadonlyMap<string, BoundModel>
}

/**
 * Binds the aggregates of a projection's rules. Takes no lock.
 *
 * @throws UsageError where a definition does not fit its table, or eventward is not installed.
 */
export async function readGround(
  connection: CallerConnection,
  { rules }: Pick<Projection, 'rules'>,
): Promise<Ground> {
  const session = readingSession(connection)
  const events = await requireEventsTable(session)
  const models = new Map<string, BoundModel>()
  for (const { aggregate } of rules) {
    if (models.has(aggregate.name)) continue
    const { model } = await bindAggregate(session, aggregate, await storedShapes(session, aggregate.name))
    models.set(aggregate.name, model)
  }
  return { events, models }
}
