import type { Write } from '../ledger.js'

/** The variable of the environment that holds a `LoadStart` as JSON. */
export const LOAD_VARIABLE = 'EVENTWARD_DEMO_LOAD'

/** What the process of the writers is started with. */
export interface LoadStart {
  /** As the application's role. */
  readonly url: string
  readonly rows: number
  /** Keys that are the demo's own. */
  readonly reserved: readonly number[]
}

/** What the writers are asked; each request is answered, in order. */
export type LoadRequest =
  | { readonly ask: 'run' }
  /** Lets each of them end its transaction. */
  | { readonly ask: 'pause' }
  | { readonly ask: 'look' }
  /** Two of them use commands from now on; the project's folder holds their definition. */
  | { readonly ask: 'commands'; readonly folder: string }
  | { readonly ask: 'ledger' }
  | { readonly ask: 'end' }

/** What the writers saw since they were last asked. */
export interface Seen {
  readonly plain: Latencies
  readonly commands: Latencies
}

/** Transactions, each from its begin to its commit, in ms; 0 where there were none. */
export interface Latencies {
  readonly transactions: number
  readonly p50Ms: number
  readonly maxMs: number
}

/** All that the writers attempted so far, and what became of it. */
export interface Told {
  readonly attempted: number
  readonly committed: number
  readonly rolledBack: number
  /** Refused as it should be: an insert of a key that is there. */
  readonly refused: number
  /** Commands that succeeded, among the committed. */
  readonly commands: number
  /** Errors that an application doesn't expect, the first ones in words. */
  readonly errors: number
  readonly errorTexts: readonly string[]
  readonly writes: readonly Write[]
}

export type LoadAnswer =
  | { readonly seen: Seen }
  | { readonly told: Told }
  | { readonly failed: string }
  | null
