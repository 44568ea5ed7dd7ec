import type { LoadedConfig } from '../config/index.js'
import type { Database } from '../db/index.js'
import { type BoundModel, type Row, type Text, tableName } from '../definition/index.js'
import { compileFold } from '../fold/index.js'
import { requireEventsTable } from '../store/index.js'
import { bindStored } from './bind-stored.js'
import { metadataTexts } from './metadata-texts.js'
import { parseStreamId } from './parse-stream-id.js'
import { type LoggedEvent, readStream } from './read-stream.js'
import { aggregateNamed } from './select-aggregates.js'

/** What one event did to its row. */
export interface HistoryEntry {
  readonly version: number
  readonly type: string
  readonly schemaVersion: number
  /** True where the event carries what no declared event explains. */
  readonly residue: boolean
  /** timestamptz text in UTC. */
  readonly occurredAt: string
  /** True where no column told the time. */
  readonly inferred: boolean
  readonly recordedAt: string
  readonly position: string
  /** What it carries: the JSON text as it's stored, so that no number is rounded on the way. */
  readonly data: string
  /** Columns whose text it changed; null for SQL NULL, or where there was no row. */
  readonly changed: readonly ColumnChange[]
  /** Who and why, as texts. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface ColumnChange {
  readonly column: string
  readonly before: Text
  readonly after: Text
}

export interface History {
  readonly aggregate: string
  readonly table: string
  readonly id: string
  readonly entries: readonly HistoryEntry[]
}

/**
 * The audit log of one row: each event, what it changed, when, and who. Reads only.
 *
 * @throws UsageError EW_AGGREGATE_UNKNOWN, EW_KEY_INVALID, EW_STREAM_UNKNOWN, EW_NOT_MIGRATED
 */
export function history(
  database: Database,
  config: LoadedConfig,
  { aggregate, id }: { readonly aggregate: string; readonly id: string },
): Promise<History> {
  const definition = aggregateNamed(config, aggregate)
  return database.session((session) =>
    session.transaction({ readOnly: true }, async () => {
      await requireEventsTable(session, config.events)
      const { model } = await bindStored(session, definition)
      const stream = await parseStreamId(session, model, id)
      const events = await readStream(session, model, config.events, stream)
      return {
        aggregate: model.name,
        table: tableName({ schema: model.schema, name: model.table }),
        id: stream,
        entries: entriesOf(model, events),
      }
    }),
  )
}

function entriesOf(model: BoundModel, events: readonly LoggedEvent[]): readonly HistoryEntry[] {
  const fold = compileFold(model)
  let before: Row | null = null
  return events.map((event) => {
    const after: Row | null = fold(before, event)
    const changed = changes(model, before, after)
    before = after
    const metadata = metadataTexts(event.metadata)
    return {
      version: event.version,
      type: event.type,
      schemaVersion: event.schemaVersion,
      residue: event.type === model.residue.changed,
      occurredAt: event.occurredAt,
      inferred: metadata['inferred'] === 'true',
      recordedAt: event.recordedAt,
      position: event.position,
      data: event.data,
      changed,
      metadata,
    }
  })
}

/** The key is the stream itself, and no news. */
function changes(model: BoundModel, before: Row | null, after: Row | null): readonly ColumnChange[] {
  return model.columns
    .filter(({ name }) => !model.key.includes(name))
    .map(({ name }) => ({ column: name, before: before?.[name] ?? null, after: after?.[name] ?? null }))
    .filter((change) => change.before !== change.after)
}
