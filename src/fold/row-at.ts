import type { BoundModel, Row } from '../definition/index.js'
import { compareInstants } from '../encode/index.js'
import { compileFold } from './compile-fold.js'
import type { StoredEvent } from './stored-event.js'

/** A point in a stream's history: a version, or an instant as timestamptz text in UTC. */
export type Point = { readonly version: number } | { readonly time: string }

export interface RowAt {
  /** Null where there was no row (yet, or any more). */
  readonly row: Row | null
  /** The last version that counts, 0 for none. */
  readonly version: number
  /**
   * Later versions whose time is at or before the asked one, but which stand behind one that is after it: bound times
   * put history out of the order of versions. Empty for a point that is a version.
   */
  readonly outOfOrder: readonly number[]
}

/**
 * The row at a point of its history. At a time: the longest prefix of versions whose times are all at or before it.
 * `events` is the whole stream in order of version.
 */
export function rowAt(model: BoundModel, events: readonly StoredEvent[], point: Point): RowAt {
  const counted = prefix(events, point)
  const apply = compileFold(model)
  return {
    row: counted.reduce<Row | null>(apply, null),
    version: counted.at(-1)?.version ?? 0,
    outOfOrder:
      'version' in point
        ? []
        : events
            .slice(counted.length)
            .filter(({ occurredAt }) => compareInstants(occurredAt, point.time) <= 0)
            .map(({ version }) => version),
  }
}

function prefix(events: readonly StoredEvent[], point: Point): readonly StoredEvent[] {
  const end = events.findIndex((event) =>
    'version' in point ? event.version > point.version : compareInstants(event.occurredAt, point.time) > 0,
  )
  return end === -1 ? events : events.slice(0, end)
}
