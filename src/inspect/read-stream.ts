import type { EventsTable, LoadedConfig } from '../config/index.js'
import type { Session } from '../db/index.js'
import { type BoundModel, tableName } from '../definition/index.js'
import { shellWord, UsageError } from '../errors/index.js'
import type { StoredEvent } from '../fold/index.js'
import { localTimeSql, qualified, raw, sql } from '../sql/index.js'
import { requireEventsTable } from '../store/index.js'
import { bindStored } from './bind-stored.js'
import { parseStreamId } from './parse-stream-id.js'
import { aggregateNamed } from './select-aggregates.js'

/** A stored event with its place and the moment at which it was written. */
export interface LoggedEvent extends StoredEvent {
  readonly position: string
  /** timestamptz text in UTC. */
  readonly recordedAt: string
  readonly metadata: string
}

/** A stream that is about to be read. */
export interface OpenStream {
  readonly model: BoundModel
  readonly events: EventsTable
  readonly table: string
  readonly id: string
  /** Its last version, as it was opened: what comes later is not read. */
  readonly lastVersion: number
}

/**
 * Finds a stream by its aggregate's name and its key, within the caller's transaction.
 *
 * @throws UsageError EW_AGGREGATE_UNKNOWN, EW_KEY_INVALID, EW_STREAM_UNKNOWN, EW_NOT_MIGRATED
 */
export async function openStream(
  session: Session,
  config: LoadedConfig,
  given: { readonly aggregate: string; readonly id: string },
): Promise<OpenStream> {
  const definition = aggregateNamed(config, given.aggregate)
  await requireEventsTable(session, config.events)
  const { model } = await bindStored(session, definition)
  const id = await parseStreamId(session, model, given.id)
  const { last } = await session.one<{ last: string | null }>(sql`
    select max(e.version) as last
    from ${raw(qualified(config.events.schema, config.events.table))} e
    where e.aggregate_type = ${model.name}::text
      and e.aggregate_id = ${id}::text`)
  const table = tableName({ schema: model.schema, name: model.table })
  if (last === null) throw unknownStream(model, table, id)
  return { model, events: config.events, table, id, lastVersion: Number(last) }
}

/** The first page is small, since nobody knows yet how large its events are; later ones hold about so many bytes. */
const FIRST_PAGE = 50
const MOST_EVENTS = 1_000
const PAGE_BYTES = 4_000_000

/**
 * The events of a stream in order of version, a page at a time, each in a READ ONLY transaction of its own: whoever reads
 * them may take as long as they like, and no snapshot stays open. Events are only ever added, so that pages fit together.
 */
export async function* streamPages(
  session: Session,
  stream: OpenStream,
): AsyncGenerator<readonly LoggedEvent[], void, undefined> {
  let after = 0
  let limit = FIRST_PAGE
  while (after < stream.lastVersion) {
    const page = await session.transaction({ readOnly: true }, () => readPage(session, stream, after, limit))
    const last = page.at(-1)
    if (last === undefined) return
    yield page
    after = last.version
    const bytes = page.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0)
    limit = Math.max(1, Math.min(MOST_EVENTS, Math.floor((PAGE_BYTES / (bytes + 1)) * page.length)))
  }
}

async function readPage(
  session: Session,
  { model, events, id, lastVersion }: OpenStream,
  after: number,
  limit: number,
): Promise<readonly LoggedEvent[]> {
  const rows = await session.rows<Record<string, string> & { local_time: string | null }>(sql`
    select e.position, e.version, e.type, e.schema_version, e.data, e.metadata, e.occurred_at, e.recorded_at,
      ${raw(localTimeSql(model))} as local_time
    from ${raw(qualified(events.schema, events.table))} e
    where e.aggregate_type = ${model.name}::text
      and e.aggregate_id = ${id}::text
      and e.version > ${String(after)}::integer
      and e.version <= ${String(lastVersion)}::integer
    order by e.version
    limit ${String(limit)}::bigint`)
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

function unknownStream(model: BoundModel, table: string, id: string): UsageError {
  return new UsageError('EW_STREAM_UNKNOWN', `there are no events of ${model.name} ${id}`, {
    next: `Check the key; a row that has no events yet gets them by \`eventward backfill ${shellWord(table)}\`.`,
    details: { aggregate: model.name, id },
  })
}
