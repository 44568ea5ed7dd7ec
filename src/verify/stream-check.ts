import type { Session } from '../db/index.js'
import type { StreamRange } from '../sql/index.js'
import type { VerifiedTable } from './in-snapshot.js'
import type { DifferenceKind } from './verify-result.js'

/** A stream or row that differs. */
export interface Found {
  readonly key: string
  readonly kind: DifferenceKind
  readonly message?: string
}

/** What a range held. Counts are numbers: of one range only. */
export interface Checked {
  readonly rows: number
  readonly streams: number
  readonly events: number
  readonly found: readonly Found[]
}

/**
 * An engine: checks a range of streams against their rows. Rows and events come from one statement, in a transaction of
 * its own. Raises class 22 where the range holds what can't be read, unless it can say which stream that is.
 */
export type StreamCheck = (session: Session, range: StreamRange) => Promise<Checked>

/** Prepares an engine for a table. */
export type Engine = (source: VerifiedTable) => StreamCheck
