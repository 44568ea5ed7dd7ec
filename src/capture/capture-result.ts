import type { EventwardError } from '../errors/index.js'
import type { EventsTable } from '../migrate/index.js'
import type { CapturedPhase, LockProgress } from '../store/index.js'

export interface CaptureOptions {
  /** The events table of the configuration: refused where this database keeps them elsewhere. */
  readonly events?: EventsTable
  /** How long one try may wait for the table's lock, in ms: writers queue behind it meanwhile. @default 400 */
  readonly lockTimeoutMs?: number
  /** @default 10 */
  readonly tries?: number
  /** Ends between two tries. */
  readonly signal?: AbortSignal
  /** Told about each try that came to nothing. */
  readonly onProgress?: (progress: LockProgress) => void
}

/** `legacy` where nothing is captured. */
export type Phase = 'legacy' | CapturedPhase

/** What became of a table. Times in ms. */
export interface CaptureResult {
  /** As the command line names it. */
  readonly table: string
  readonly capture: 'on' | 'off'
  readonly phase: Phase
  /**
   * `installed`: it was off, or broken: writes may have passed unseen before. `replaced`: it was on all along, its
   * functions are those of the present definition and columns now. `removed`. `none`: it was so already.
   */
  readonly change: 'installed' | 'replaced' | 'removed' | 'none'
  /** One more at each change that lets writes pass unseen, or did: a backfill made under another one doesn't count. */
  readonly epoch: string
  /** timestamptz text in UTC: since when it is on or off; null where it never was on. */
  readonly since: string | null
  /** Times that the table's lock was asked for or waited for; 0 where none was needed. */
  readonly attempts: number
  /** The longest that writers can have waited for the lock to be granted; null where none was needed. */
  readonly waitedMs: number | null
  /** How long the lock was held. */
  readonly lockedMs: number | null
  /** What to know. */
  readonly notices: readonly string[]
}

/** A table that was not turned on or off, and why: the others were gone on with. */
export interface CaptureFailure {
  readonly table: string
  readonly error: EventwardError
}

export interface CaptureProblem {
  /** `trigger_missing`, `trigger_not_always`, `later_trigger`, ... */
  readonly code: string
  readonly what: string
  /** A command, or what to do in words. */
  readonly next: string
  /** True where a write may pass unseen; else it's only slower, or about an older definition. */
  readonly broken: boolean
}

/** Where the capture of a table stands. */
export interface CaptureStatus {
  readonly table: string
  /** False where eventward is not installed, or this role may not see it. */
  readonly installed: boolean
  /** `broken`: it was turned on, but a write could pass unseen. */
  readonly capture: 'on' | 'off' | 'broken'
  readonly phase: Phase
  readonly directWrites: 'capture' | 'refuse'
  /** timestamptz text in UTC: since when it is on, or off; null where it never was on. */
  readonly since: string | null
  /** timestamptz text in UTC. */
  readonly phaseSince: string | null
  readonly epoch: string | null
  readonly definitionHash: string | null
  readonly problems: readonly CaptureProblem[]
  /** See `readFingerprint`; null where it's off. */
  readonly fingerprint: string | null
}
