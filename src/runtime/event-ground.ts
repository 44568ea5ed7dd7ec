import { bindAggregate } from '../bind/index.js'
import type { AggregateDefinition, BoundModel } from '../definition/index.js'
import type { EventsAt } from '../log/index.js'
import { requireEventsTable, storedShapes } from '../store/index.js'
import type { CallerConnection } from './caller-connection.js'
import { readingSession } from './caller-session.js'

/** What is needed to read stored events: where they are, and what their attributes are. */
export interface EventGround {
  readonly events: EventsAt
  /** By aggregate type. */
  readonly models: ReadonlyMap<string, BoundModel>
}

/**
 * Binds aggregates, each name once. Takes no lock.
 *
 * @throws UsageError where a definition does not fit its table, or eventward is not installed.
 */
export async function readGround(
  connection: CallerConnection,
  aggregates: readonly AggregateDefinition[],
): Promise<EventGround> {
  const session = readingSession(connection)
  const events = await requireEventsTable(session)
  const models = new Map<string, BoundModel>()
  for (const aggregate of aggregates) {
    if (models.has(aggregate.name)) continue
    const { model } = await bindAggregate(session, aggregate, await storedShapes(session, aggregate.name))
    models.set(aggregate.name, model)
  }
  return { events, models }
}
