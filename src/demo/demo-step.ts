import type { BackfillResult } from '../backfill/index.js'
import type { CaptureResult } from '../capture/index.js'
import type { CutoverResult } from '../cutover/index.js'
import type { Explained, History, PlannedTable, TableStatus } from '../inspect/index.js'
import type { MigrateResult } from '../migrate/index.js'
import type { Difference, VerifiedTable } from '../verify/index.js'
import type { Seen, Told } from './load/messages.js'
import type { Reconciled } from './reconcile-load.js'

/** What a step found, for whoever shows it. */
export type DemoFound =
  | { readonly kind: 'legacy'; readonly version: string; readonly table: string; readonly rows: string }
  | { readonly kind: 'definition'; readonly inferred: string; readonly refined: string }
  | { readonly kind: 'migrated'; readonly result: MigrateResult }
  | { readonly kind: 'planned'; readonly tables: readonly PlannedTable[] }
  | { readonly kind: 'captured'; readonly table: CaptureResult }
  | { readonly kind: 'backfilled'; readonly table: BackfillResult }
  | { readonly kind: 'verified'; readonly table: VerifiedTable; readonly differences: readonly Difference[] }
  | { readonly kind: 'history'; readonly history: History }
  | { readonly kind: 'explained'; readonly explained: Explained }
  | { readonly kind: 'planted'; readonly what: readonly string[] }
  | { readonly kind: 'cutover'; readonly result: CutoverResult }
  | { readonly kind: 'commands'; readonly calls: number }
  | { readonly kind: 'ledger'; readonly told: LedgerCounts; readonly reconciled: Reconciled }
  | { readonly kind: 'status'; readonly tables: readonly TableStatus[] }

/** What the writers tell, without the rows. */
export type LedgerCounts = Omit<Told, 'writes'> & { readonly writes: number }

export interface DemoStep {
  readonly name: string
  /** What one would type to get the same, or null where there is no such command. */
  readonly command: string | null
  /** In a sentence, for people. */
  readonly says: string
  readonly seconds: number
  readonly found: DemoFound
  /** What the application's writers saw meanwhile; null where they did not write. */
  readonly writers: Seen | null
  /** What is not as it must be; empty where all is. */
  readonly problems: readonly string[]
}
