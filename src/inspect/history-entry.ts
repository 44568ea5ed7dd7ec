import type { BoundModel } from '../definition/index.js'
import { type ColumnChange, type HistoryEntry as Folded, lift, readingOf } from '../fold/index.js'
import { metadataTexts } from './metadata-texts.js'
import type { LoggedEvent } from './read-stream.js'

/** What one event did to its row, who wrote it, and why. */
export interface HistoryEntry {
  readonly version: number
  readonly type: string
  readonly schemaVersion: number
  /** True where the event stands for what no declared event explains. */
  readonly residue: boolean
  /** Columns that travel in it undeclared: a creation carries residue as well. */
  readonly undeclared: readonly string[]
  /** timestamptz text in UTC. */
  readonly occurredAt: string
  /** True where no column told the time. */
  readonly inferred: boolean
  readonly recordedAt: string
  readonly position: string
  /** Who wrote it: `backfill`, `trigger`, `shim`, `command`, `repair`, ...; null where it doesn't say. */
  readonly source: string | null
  /** True where it was worked out from the row as it was found, and nobody saw it happen. */
  readonly reconstructed: boolean
  readonly who: Who
  readonly why: Why
  /** What it carries: the JSON text as it's stored, so that no number is rounded on the way. */
  readonly data: string
  /** What no column holds, by name, as JSON text. */
  readonly facts: Readonly<Record<string, string>>
  /** As which events the code of today reads it, where not as it is stored; null else. */
  readonly readAs: readonly ReadAs[] | null
  /** Columns whose text it changed; null for SQL NULL, or where there was no row. */
  readonly changed: readonly ColumnChange[]
  /** All that it says beside its data, as texts. */
  readonly metadata: Readonly<Record<string, string>>
}

/** Each null where the event doesn't say. */
export interface Who {
  /** As the application named whoever acted: `actor`, else `user_id`. */
  readonly actor: string | null
  /** The database's role. */
  readonly user: string | null
  /** application_name of the connection. */
  readonly app: string | null
  /** Of which run it's part: `eventward runs` tells who ran it. */
  readonly run: string | null
}

/** Each null where the event doesn't say. */
export interface Why {
  readonly command: string | null
  readonly request: string | null
  readonly causation: string | null
  readonly correlation: string | null
}

export interface ReadAs {
  readonly type: string
  readonly schemaVersion: number
  /** JSON text. */
  readonly data: string
}

/** An entry of the audit log. Pure. */
export function historyEntry(
  model: BoundModel,
  { event, changed, residue, undeclared, facts }: Folded<LoggedEvent>,
): HistoryEntry {
  const metadata = metadataTexts(event.metadata)
  const said = (name: string) => metadata[name] ?? null
  const source = said('source')
  return {
    version: event.version,
    type: event.type,
    schemaVersion: event.schemaVersion,
    residue,
    undeclared,
    occurredAt: event.occurredAt,
    inferred: metadata['inferred'] === 'true',
    recordedAt: event.recordedAt,
    position: event.position,
    source,
    // A trigger that meets a row without a stream first writes what it finds.
    reconstructed: source === 'backfill' || source === 'repair' || metadata['existing'] === 'true',
    who: {
      actor: said('actor') ?? said('user_id'),
      user: said('user'),
      app: said('app'),
      run: said('run'),
    },
    why: {
      command: said('command'),
      request: said('request'),
      causation: said('causation'),
      correlation: said('correlation'),
    },
    data: event.data,
    facts,
    readAs: readAs(model, event),
    changed,
    metadata,
  }
}

/** Null for what this code doesn't know as well: then what is stored is all there is to say. */
function readAs(model: BoundModel, event: LoggedEvent): readonly ReadAs[] | null {
  if (readingOf(model, event) !== 'upcast') return null
  return lift(model, event).map(({ type, schemaVersion, data }) => ({ type, schemaVersion, data }))
}
