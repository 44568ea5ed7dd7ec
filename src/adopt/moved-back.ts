import type { Session } from '../db/index.js'
import type { BoundModel } from '../definition/index.js'
import type { EventsTable } from '../migrate/index.js'
import { qualified, raw, sql } from '../sql/index.js'

/**
 * Whether there are events that were captured by name while columns bore other names, though the columns are again what
 * they were, and nothing was adopted: fold would not look at what those events call them. Reads all of its events.
 */
export async function movedBack(session: Session, model: BoundModel, events: EventsTable): Promise<boolean> {
  if ((model.history ?? null) !== null) return false
  const { found } = await session.one<{ found: string }>(sql`
    select exists (
      select
      from ${raw(qualified(events.schema, events.table))} e
      where e.aggregate_type = ${model.name}::text
        and e.metadata -> 'cold' = 'true'
        and e.metadata -> 'columns' <> '{}'
    ) as found`)
  return found === 't'
}
