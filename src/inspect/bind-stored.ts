import { type BoundAggregate, bindAggregate } from '../bind/index.js'
import type { Session } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { readInstalled } from '../migrate/index.js'
import { storedShapes } from '../store/index.js'

/**
 * Binds a definition to the live catalog, together with all shapes under which its events may be stored. Works before
 * our schema is there as well: then nothing is stored.
 */
export async function bindStored(session: Session, definition: AggregateDefinition): Promise<BoundAggregate> {
  const { events } = await readInstalled(session)
  return bindAggregate(
    session,
    definition,
    events === null ? {} : await storedShapes(session, definition.name),
  )
}
