import type { Text } from '../definition/index.js'
import type { Repair } from './repair-result.js'

/** Which fold proves: `sql` on the server, `replay` in TypeScript. Both must find the same. */
export type VerifyEngine = 'sql' | 'replay'

/**
 * What is wrong with a stream or a row. Of several the first of this list is told, but that `unreadable` is told only
 * where the fold itself is sound:
 *
 * - `version_gap`: versions are not 1, 2, 3, ...; an event is missing;
 * - `unknown_event`: an event of a (type, schema_version) that no definition knows, and that no upcast leads on from;
 * - `not_created`: a change or a removal of a row that is not there;
 * - `created_twice`: a creation of a row that is there;
 * - `unreadable`: a text that is no value of its column, an id that is none of the key, or code that fails;
 * - `dead_stream`: the row is there, its events end in nothing;
 * - `missing_row`: the events end in a row, which is not there;
 * - `row_differs`: both are there, and some column differs;
 * - `missing_stream`: a row without any event.
 */
export type DifferenceKind =
  | 'version_gap'
  | 'unknown_event'
  | 'not_created'
  | 'created_twice'
  | 'unreadable'
  | 'dead_stream'
  | 'missing_row'
  | 'row_differs'
  | 'missing_stream'

/** The event that last set a column. */
export interface SetBy {
  readonly version: number
  readonly type: string
  /** Who wrote it, as its metadata says. */
  readonly writer: string | null
  /** `backfill`, `trigger`, `shim`, `command`, `repair`. */
  readonly source: string | null
}

export interface DifferingColumn {
  readonly column: string
  /** The row's canonical text; absent where only keys were asked for. */
  readonly row?: Text
  /** The canonical text that the events give, or the text itself where it's no value of the column. */
  readonly events?: Text
  readonly setBy: SetBy | null
}

export interface Difference {
  /** `name` in public, `schema.name` elsewhere. */
  readonly table: string
  /** The stream's id. */
  readonly key: string
  readonly kind: DifferenceKind
  /** Empty where there is no row, or no stream, to compare with. */
  readonly columns: readonly DifferingColumn[]
  /** The server's words where something is unreadable; the version and type where a stream is unsound. */
  readonly message?: string
}

/** Counts are texts: 64-bit numbers. */
export interface VerifiedTable {
  readonly table: string
  readonly engine: VerifyEngine
  /** Why it's that engine, where the other was no choice: `code says what Credited does`. */
  readonly engineBecause?: string
  readonly rows: string
  readonly streams: string
  readonly events: string
  readonly differences: string
  readonly clean: boolean
  /** It is what a gate asks for: full, clean, beside a capture that was whole, and nothing came between. */
  readonly proof: boolean
  /** The receipt. */
  readonly run: string
  /** What to know before reading the differences, and what to do: nothing was backfilled yet. */
  readonly notice?: string
  /** How the table's columns moved since its events were written, as far as that was not adopted: in words. */
  readonly moved?: string
}

export interface VerifyResult {
  readonly table: VerifiedTable
  /** In order of key (collation C); at most `detailLimit`. `table.differences` counts all. */
  readonly differences: readonly Difference[]
  /** With `repair`: what came of each difference that was open, in order of key. */
  readonly repairs?: readonly Repair[]
}

/** Counts so far. */
export interface VerifyProgress {
  readonly table: string
  readonly pass: 'streams' | 'rows'
  readonly rows: string
  readonly streams: string
  readonly events: string
  readonly differences: string
}
