import type { EventsTable } from '../config/index.js'
import type { Session } from '../db/index.js'
import { type BoundModel, tableName } from '../definition/index.js'
import { shellWord, UsageError } from '../errors/index.js'
import type { StoredEvent } from '../fold/index.js'
import { localTimeSql, qualified, raw, sql } from '../sql/index.js'

/** A stored event with its place and the moment at which it was written. */
export interface LoggedEvent extends StoredEvent {
  readonly position: string
  /** timestamptz text in UTC. */
  readonly recordedAt: string
  readonly metadata: string
}

/**
 * The events of one stream in order of version.
 *
 * @throws UsageError EW_STREAM_UNKNOWN where there are none.
 */
export async function readStream(
  session: Session,
  model: BoundModel,
  events: EventsTable,
  id: string,
): Promise<readonly LoggedEvent[]> {
  const rows = await session.rows<Record<string, string> & { local_time: string | null }>(sql`
    select e.position, e.version, e.type, e.schema_version, e.data, e.metadata, e.occurred_at, e.recorded_at,
      ${raw(localTimeSql(model))} as local_time
    from ${raw(qualified(events.schema, events.table))} e
    where e.aggregate_type = ${model.name}::text
      and e.aggregate_id = ${id}::text
    order by e.version`)
  if (rows.length === 0) throw unknownStream(model, id)
  return rows.map((row) => ({
    aggregateId: id,
    position: row['position']!,
    version: Number(row['version']),
    type: row['type']!,
    schemaVersion: Number(row['schema_version']),
    data: row['data']!,
    metadata: row['metadata']!,
    occurredAt: row['occurred_at']!,
    recordedAt: row['recorded_at']!,
    localTime: row.local_time,
  }))
}

function unknownStream(model: BoundModel, id: string): UsageError {
  const table = tableName({ schema: model.schema, name: model.table })
  return new UsageError('EW_STREAM_UNKNOWN', `there are no events of ${model.name} ${id}`, {
    next: `Check the key; a row that has no events yet gets them by \`eventward backfill ${shellWord(table)}\`.`,
    details: { aggregate: model.name, id },
  })
}
