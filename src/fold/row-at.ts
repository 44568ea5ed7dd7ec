import type { BoundModel, Row } from '../definition/index.js'
import { compareInstants } from '../encode/index.js'
import { compileFold, type Folder } from './compile-fold.js'
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
export function rowAt(model: BoundModel, events: Iterable<StoredEvent>, point: Point): RowAt {
  const folder = new RowAtFolder(model, point)
  for (const event of events) folder.add(event)
  return folder.result()
}

/** The same, event by event in order of version, for streams that are read in pages. Keeps no event. */
export class RowAtFolder {
  readonly #fold: Folder
  readonly #outOfOrder: number[] = []
  #row: Row | null = null
  #version = 0
  #ended = false

  constructor(
    model: BoundModel,
    private readonly point: Point,
  ) {
    this.#fold = compileFold(model)
  }

  add(event: StoredEvent): void {
    const within = isWithin(event, this.point)
    this.#ended ||= !within
    if (!this.#ended) {
      this.#row = this.#fold(this.#row, event)
      this.#version = event.version
    } else if (within && 'time' in this.point) {
      this.#outOfOrder.push(event.version)
    }
  }

  result(): RowAt {
    return { row: this.#row, version: this.#version, outOfOrder: this.#outOfOrder }
  }
}

function isWithin(event: StoredEvent, point: Point): boolean {
  return 'version' in point
    ? event.version <= point.version
    : compareInstants(event.occurredAt, point.time) <= 0
}
