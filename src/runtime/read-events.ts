import type { BoundModel } from '../definition/index.js'
import { lift } from '../fold/index.js'
import { type Query, sql } from '../sql/index.js'
import { appendedEvent } from './appended-event.js'
import type { Texts } from './caller-connection.js'
import type { AppendedEvent } from './command-types.js'

/** The columns of an event `e` that `readEvents` takes. */
export const EVENT_COLUMNS: Query = sql`e.position, e.aggregate_type, e.aggregate_id, e.version, e.type, e.schema_version,
      e.data, e.metadata, e.occurred_at, e.recorded_at`

/**
 * What code sees of a stored event: lifted to what the definition of today says; several where upcasts split it, none
 * where they drop it. `texts` are `EVENT_COLUMNS`.
 *
 * @throws UsageError EW_UPCAST, EW_UPCAST_PATH
 */
export function readEvents(model: BoundModel, texts: Texts): readonly AppendedEvent[] {
  const stored = {
    type: texts['type'] ?? '',
    schemaVersion: Number(texts['schema_version']),
    data: texts['data'] ?? '{}',
  }
  return lift(model, stored).map(({ type, schemaVersion, data }) =>
    appendedEvent(model, texts['aggregate_id'] ?? '', {
      ...texts,
      type,
      data,
      schema_version: String(schemaVersion),
    }),
  )
}
