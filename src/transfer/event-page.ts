import type { Session } from '../db/index.js'
import { type EventsName, type Query, qualified, raw, sql } from '../sql/index.js'
import type { ExportHeader } from './export-header.js'

/** A stored event as the texts that the server gave. */
export type EventTexts = Readonly<
  Record<
    | 'position'
    | 'aggregate_type'
    | 'aggregate_id'
    | 'version'
    | 'type'
    | 'schema_version'
    | 'data'
    | 'metadata'
    | 'occurred_at'
    | 'recorded_at',
    string
  >
>

/**
 * The next events of an export, in order of position. Stored events don't change, so that what a snapshot saw is still
 * told by transaction ids, long after it: no transaction need be held open for it, and a page is asked for by whoever
 * goes on.
 */
export function readPage(
  session: Session,
  events: EventsName,
  header: Pick<ExportHeader, 'snapshot' | 'upTo' | 'restored' | 'since' | 'aggregates'>,
  { after, size }: { readonly after: string; readonly size: number },
): Promise<readonly EventTexts[]> {
  return session.rows<EventTexts>(sql`
    select e.position, e.aggregate_type, e.aggregate_id, e.version, e.type, e.schema_version, e.data, e.metadata,
      e.occurred_at, e.recorded_at
    from ${raw(qualified(events.schema, events.table))} e
    where e.position > ${after}::bigint
      and e.position <= ${header.upTo}::bigint
      and e.aggregate_type = any (${header.aggregates.map(({ name }) => name)}::text[])
      and ${seenBy(header)}
      ${header.since === null ? sql`` : sql`and not ${heldBy(header.since)}`}
    order by e.position
    limit ${String(size)}::bigint`)
}

/** Of a table that the earlier export was not about, it holds nothing. */
function heldBy(since: NonNullable<ExportHeader['since']>): Query {
  return sql`(e.aggregate_type = any (${since.aggregates}::text[]) and ${seenBy(since)})`
}

function seenBy({ snapshot, restored }: Pick<ExportHeader, 'snapshot' | 'restored'>): Query {
  return sql`(pg_visible_in_snapshot(e.transaction_id, ${snapshot}::pg_snapshot)
        or e.position <= ${restored}::bigint)`
}

/** An event as a line of JSON: what is JSON already stands as it is, never parsed. */
export function eventLine(event: EventTexts): string {
  const text = JSON.stringify
  return `{"position":${text(event.position)},"aggregate":${text(event.aggregate_type)},"id":${text(event.aggregate_id)},"version":${event.version},"type":${text(event.type)},"schemaVersion":${event.schema_version},"occurredAt":${text(event.occurred_at)},"recordedAt":${text(event.recorded_at)},"metadata":${event.metadata},"data":${event.data}}`
}
