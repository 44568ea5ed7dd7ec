import type { Query } from '../sql/index.js'

/** A connection in a transaction, whoever holds it; every value comes as its text. */
export interface Statements {
  /** Runs statements in one round trip. One answer each. */
  run(
    statements: readonly Query[],
  ): Promise<readonly { readonly rows: readonly Readonly<Record<string, string | null>>[] }[]>
}
