import type { BackfillResult } from '../backfill/index.js'
import type { Explained, History, PlannedTable, TableStatus } from '../inspect/index.js'
import type { MigrateResult } from '../migrate/index.js'
import type { Difference, VerifiedTable } from '../verify/index.js'

/** What a step found, for whoever shows it. */
export type DemoFound =
  | { readonly kind: 'legacy'; readonly version: string; readonly table: string; readonly rows: string }
  | { readonly kind: 'definition'; readonly inferred: string; readonly refined: string }
  | { readonly kind: 'migrated'; readonly result: MigrateResult }
  | { readonly kind: 'planned'; readonly tables: readonly PlannedTable[] }
  | { readonly kind: 'backfilled'; readonly table: BackfillResult }
  | { readonly kind: 'verified'; readonly table: VerifiedTable; readonly differences: readonly Difference[] }
  | { readonly kind: 'history'; readonly history: History }
  | { readonly kind: 'explained'; readonly explained: Explained }
  | { readonly kind: 'planted'; readonly what: readonly string[] }
  | { readonly kind: 'status'; readonly tables: readonly TableStatus[] }

export interface DemoStep {
  readonly name: string
  /** What one would type to get the same, or null where there is no such command. */
  readonly command: string | null
  /** In a sentence, for people. */
  readonly says: string
  readonly seconds: number
  readonly found: DemoFound
  /** What is not as it must be; empty where all is. */
  readonly problems: readonly string[]
}
