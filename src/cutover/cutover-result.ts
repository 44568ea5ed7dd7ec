import type { EventsTable } from '../config/index.js'
import type { Difference } from '../verify/index.js'

/** Who is the truth of a table: its rows (`legacy`, `dual_write`) or its events. */
export type Phase = 'legacy' | 'dual_write' | 'event_first' | 'complete'

/** What was asked for. */
export type CutoverAction = 'status' | 'rehearse' | 'advance' | 'rollback' | 'complete'

/** What must hold before a phase is changed, in the order in which it's told. */
export type GateName =
  | 'capture'
  | 'definition'
  | 'backfill'
  | 'verify'
  | 'fresh'
  | 'fingerprint'
  | 'differences'
  | 'incomplete'
  | 'transactions'
  | 'way_back'

/** One line of the checklist. */
export interface GateCheck {
  readonly name: GateName
  readonly ok: boolean
  /** What was found, in words for the person on call. */
  readonly detail: string
  /** What to do where it isn't ok: a command, or a sentence; null where it is. */
  readonly next: string | null
}

/** One try to get the table's lock and flip, as it's told while it goes on. */
export type CutoverProgress =
  | {
      readonly kind: 'gave_up'
      readonly table: string
      readonly try: number
      readonly afterMs: number
      /** Why: who holds the lock, or what was too much to verify under it. */
      readonly why: string
      readonly nextInMs: number | null
    }
  | {
      readonly kind: 'verified'
      readonly table: string
      readonly round: number
      readonly streams: number
      readonly events: number
    }
  | {
      readonly kind: 'locked'
      readonly table: string
      readonly try: number
      readonly lockedMs: number
      readonly streams: number
    }

export interface CutoverOptions {
  /** The events table of the configuration: refused where this database keeps them elsewhere. */
  readonly events?: EventsTable
  /** How old the last clean verify may be. @default 3600 */
  readonly freshnessSeconds?: number
  /** How long a writer may be kept waiting, waiting for the lock and holding it together. @default 400 */
  readonly lockTimeoutMs?: number
  /** @default 10 */
  readonly tries?: number
  /** How long to leave the table alone after the first try that gave up, in ms; it grows. @default 3000 */
  readonly pauseMs?: number
  /** Ends between two tries. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: CutoverProgress) => void
}

/** What became of it. */
export interface CutoverResult {
  /** `name` in public, `schema.name` elsewhere. */
  readonly table: string
  readonly action: CutoverAction
  /** False where the gate refused, or something differs. */
  readonly ok: boolean
  readonly from: Phase
  /** The phase that the table has now. */
  readonly to: Phase
  /** timestamptz text in UTC; null in `legacy`. */
  readonly since: string | null
  /** Times that the lock was asked for. */
  readonly attempts: number
  /** How long the lock was held, in ms, in the try that flipped; null where none did. */
  readonly lockedMs: number | null
  /** The longest time that a writer can have waited because of us, over all tries, in ms. */
  readonly longestWaitMs: number
  readonly gate: readonly GateCheck[]
  /** Streams that were written to since the proof that stands, verified again. */
  readonly reverified: { readonly streams: number; readonly events: number } | null
  readonly differences: readonly Difference[]
  /** The receipt; null where none was written. */
  readonly run: string | null
}
