import type { DifferenceKind } from './verify-result.js'

/** An event that a repair has appended, or would append. */
export interface RepairEvent {
  readonly type: string
  /** What it carries, as JSON text; absent where only keys were asked for. */
  readonly data?: string
  /** timestamptz text in UTC; null where the time of the repair will be it. */
  readonly occurredAt: string | null
}

/**
 * What came of one difference:
 *
 * - `repaired`: events were appended, and the row updated to itself;
 * - `would_repair`: with --dry-run;
 * - `gone`: row and events agree by now, nothing was done;
 * - `left`: can't be repaired by appending, or not now; `message` says why, `next` what to do.
 */
export type RepairOutcome = 'repaired' | 'would_repair' | 'gone' | 'left'

export interface Repair {
  /** `name` in public, `schema.name` elsewhere. */
  readonly table: string
  /** The stream's id. */
  readonly key: string
  /** What it was found as. */
  readonly kind: DifferenceKind
  readonly outcome: RepairOutcome
  readonly events: readonly RepairEvent[]
  readonly message?: string
  readonly next?: string
}
