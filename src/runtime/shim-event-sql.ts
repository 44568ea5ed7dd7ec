import type { RecognisedEvent } from '../recognise/index.js'
import { literal, type Query, qualified, raw, sql } from '../sql/index.js'
import type { CallerConnection } from './caller-connection.js'
import type { Binding } from './command-binding.js'

/** The last event of a stream. */
export interface Head {
  readonly version: number
  readonly type: string
  /** As the server wrote it: only given back to it, under the same settings. */
  readonly recordedAt: string
}

/** The heads of streams, of those that have one. */
export async function headsOf(
  connection: CallerConnection,
  { model, events }: Binding,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Head>> {
  const [answer] = await connection.run([
    sql`
    select s.id, h.version, h.type, h.recorded_at
    from pg_catalog.unnest(${ids}::pg_catalog.text[]) as s (id)
    cross join lateral (
      select e.version, e.type, e.recorded_at
      from ${raw(qualified(events.schema, events.table))} as e
      where e.aggregate_type = ${raw(literal(model.name))}
        and e.aggregate_id = s.id collate "C"
      order by e.version desc
      limit 1
    ) as h`,
  ])
  return new Map(
    (answer?.rows ?? []).map((row) => [
      row['id'] ?? '',
      { version: Number(row['version']), type: row['type'] ?? '', recordedAt: row['recorded_at'] ?? '' },
    ]),
  )
}

/** How an event is inserted. */
export interface Inserted {
  /** What its metadata says more. */
  readonly more: Readonly<Record<string, unknown>>
  /** When the event before it was recorded: no time that is inferred is before that. */
  readonly recorded: string | null
  /** Whether another's version of that number is no error. */
  readonly lenient: boolean
}

/** SQL that stores one event of the shim. */
export function insertQuery(
  { model, origin, events }: Binding,
  event: RecognisedEvent,
  version: number,
  { more, recorded, lenient }: Inserted,
): Query {
  const base = JSON.stringify({ source: 'shim', ...origin })
  const extra = JSON.stringify({ ...more, ...(event.inferred ? { inferred: true } : {}) })
  const time = `${literal(event.occurredAt)}::pg_catalog.timestamptz`
  const at =
    event.inferred && recorded !== null
      ? `greatest(${time}, ${literal(recorded)}::pg_catalog.timestamptz)`
      : time
  return sql`
    insert into ${raw(qualified(events.schema, events.table))} (aggregate_type, aggregate_id, version, type, schema_version, data,
      metadata, occurred_at)
    values (${model.name}, ${event.streamId}, ${String(version)}, ${event.type}, ${String(event.schemaVersion)},
      ${event.data}, eventward.captured_metadata(${base}) operator(pg_catalog.||) ${extra}::pg_catalog.jsonb, ${raw(at)})
    ${raw(lenient ? 'on conflict do nothing' : '')}`
}
