import type { Session } from '../db/index.js'
import type { BoundModel, Row, Text } from '../definition/index.js'
import { foldStream, type StoredEvent, type StreamProblem } from '../fold/index.js'
import { compileVerifyDetail } from '../sql/index.js'
import type { VerifiedTable } from './in-snapshot.js'

/** A row and its stream, as one statement saw them. */
export interface Pair {
  readonly id: string
  readonly row: Row | null
  readonly events: readonly StoredEvent[]
  /** As the set-based fold has it: key columns only where an event carried them. */
  readonly foldedBySql: Row | null
}

/**
 * Reads a stream and its row in one statement. Within a transaction of the caller's that holds the table's lock: see
 * `inSnapshot`. Raises class 22 where the id is none of the key.
 */
export async function readPair(session: Session, source: VerifiedTable, id: string): Promise<Pair> {
  const found = await session.one<Record<'present' | 'folded' | 'stream', string | null>>(
    compileVerifyDetail(source, id),
  )
  return {
    id,
    row: rowOf(source.model, JSON.parse(found.present ?? 'null') as readonly Text[] | null),
    events: eventsOf(id, found.stream),
    foldedBySql: JSON.parse(found.folded ?? 'null') as Row | null,
  }
}

function rowOf({ columns }: BoundModel, texts: readonly Text[] | null): Row | null {
  if (texts === null) return null
  return Object.fromEntries(columns.map(({ name }, slot) => [name, texts[slot] ?? null]))
}

type EventTexts = readonly [string, string, string, string, string, string | null, string]

function eventsOf(id: string, json: string | null): readonly StoredEvent[] {
  return ((JSON.parse(json ?? 'null') ?? []) as readonly EventTexts[]).map(
    ([version, type, schemaVersion, data, occurredAt, localTime, metadata]): StoredEvent => ({
      aggregateId: id,
      version: Number(version),
      type,
      schemaVersion: Number(schemaVersion),
      data,
      occurredAt,
      localTime,
      metadata,
    }),
  )
}

/** What is wrong with the stream itself, in words; undefined where it's sound. */
export function problemOf(
  { model }: Pick<VerifiedTable, 'model'>,
  events: readonly StoredEvent[],
): { readonly kind: StreamProblem['kind']; readonly message: string } | undefined {
  const { problem } = foldStream(model, events)
  return problem === null ? undefined : { kind: problem.kind, message: messageOf(problem, events) }
}

function messageOf(problem: StreamProblem, events: readonly StoredEvent[]): string {
  const event = events.find(({ version }) => version === problem.version)
  switch (problem.kind) {
    case 'version_gap': {
      const before = events.filter(({ version }) => version < problem.version).length
      return `version ${before + 1} is missing: ${problem.version} follows ${before}`
    }
    case 'unknown_event':
      return `version ${problem.version} is a ${event?.type} of schema version ${event?.schemaVersion}, which no definition knows`
    case 'unreadable':
      return `version ${problem.version}: ${problem.message ?? 'its code failed'}`
    case 'not_created':
      return `version ${problem.version}, ${event?.type}, is about a row that no event created`
    case 'created_twice':
      return `version ${problem.version}, ${event?.type}, creates a row that is there already`
  }
}
