import type { Session } from '../db/index.js'
import { compileBoundary, compileGreatestKey, compileStreamBoundary, type StreamRange } from '../sql/index.js'
import { inIndexOrder } from './in-index-order.js'
import type { VerifiedTable } from './in-snapshot.js'
import { checkRows, type KeyRange } from './rows-pass.js'
import { type SharedCursor, sharedCursor } from './shared-cursor.js'
import type { Checked, StreamCheck } from './stream-check.js'

/** One range of one pass, ready to be checked. */
export interface Chunk {
  readonly pass: 'streams' | 'rows'
  readonly check: (session: Session) => Promise<Checked>
}

/**
 * Values (events, or rows, times columns) of a range: some 0.1 s of work, so that a DDL of the application that waits for
 * our ACCESS SHARE (and whoever waits behind it) waits no longer, and the round trips still don't count.
 */
const VALUES = 150_000
const LARGEST = 20_000
const SMALLEST = 500

/** Events, or rows, of a range of a table with so many columns. Pure. */
export function rangeSize(columns: number): number {
  return Math.min(LARGEST, Math.max(SMALLEST, Math.floor(VALUES / columns)))
}

export interface PassOptions {
  /** Events, or rows, of a range. @default by the number of columns, see `rangeSize` */
  readonly size?: number
}

/** The ranges of both passes, streams first, handed out to any number of workers. Null where all are handed out. */
export function tablePasses(
  source: VerifiedTable,
  check: StreamCheck,
  { size = rangeSize(source.model.columns.length) }: PassOptions = {},
): (session: Session) => Promise<Chunk | null> {
  const streams = streamCursor(source, size)
  const rows = rowCursor(source, size)
  return async (session) => {
    const range: StreamRange | null = await streams.next(session)
    if (range !== null) return { pass: 'streams', check: (worker) => check(worker, range) }
    const keys: KeyRange | null = await rows.next(session)
    return keys === null ? null : { pass: 'rows', check: (worker) => checkRows(worker, source, keys) }
  }
}

function streamCursor({ model, events }: VerifiedTable, size: number): SharedCursor<string> {
  return sharedCursor<string>(async (session, after) => {
    const { boundary } = await inIndexOrder(session, () =>
      session.one<{ boundary: string | null }>(compileStreamBoundary(model, events, { after, size })),
    )
    return boundary
  })
}

function rowCursor({ model, key }: VerifiedTable, size: number): SharedCursor<readonly string[]> {
  let greatest: Promise<readonly string[] | null> | undefined
  return sharedCursor<readonly string[]>(async (session, after) => {
    greatest ??= inIndexOrder(session, () =>
      session.rows<{ greatest: string }>(compileGreatestKey(model, key)),
    ).then(([row]) => keyTexts(row?.greatest))
    const upTo = await greatest
    if (upTo === null) return null
    const [row] = await inIndexOrder(session, () =>
      session.rows<{ boundary: string }>(compileBoundary(model, key, { after, upTo, size })),
    )
    return keyTexts(row?.boundary)
  })
}

function keyTexts(json: string | undefined): readonly string[] | null {
  return json === undefined ? null : (JSON.parse(json) as readonly string[])
}
