import type { Readable } from 'node:stream'
import type { Query } from '../sql/index.js'

/** One row as it comes: every value is PostgreSQL's text output, or null. */
export type TextRow = Readonly<Record<string, string | null>>

export interface TransactionOptions {
  /** @default 'read committed' */
  readonly isolation?: 'read committed' | 'repeatable read'
  /** Refused writes are the server's business, not ours. @default false */
  readonly readOnly?: boolean
  /** `set local lock_timeout`, in ms. @default none */
  readonly lockTimeoutMs?: number
  /** `set local statement_timeout`, in ms. @default none */
  readonly statementTimeoutMs?: number
}

/** One connection, held. Settings are pinned (see `session-settings.ts`). */
export interface Session {
  /** Runs a statement, gives its rows. Values are text whatever the type: cast in SQL, parse where you must. */
  rows<R extends TextRow = TextRow>(query: Query): Promise<readonly R[]>
  /** As `rows`, but exactly one row is expected. */
  one<R extends TextRow = TextRow>(query: Query): Promise<R>
  /** Runs a statement, gives the number of rows that it touched. */
  execute(query: Query): Promise<number>
  /** Runs `work` between BEGIN and COMMIT; rolls back and rethrows where it throws. Not nested. */
  transaction<T>(options: TransactionOptions, work: (session: Session) => Promise<T>): Promise<T>
  /** `copy (...) to stdout`: raw bytes in COPY's text format. */
  copyTo(text: string): Readable
}

export interface Target {
  readonly database: string
  readonly host: string
  readonly port: string
  readonly user: string
}

/** A pool of sessions on one database. */
export interface Database {
  readonly target: Target
  /** Lends a session to `work`. */
  session<T>(work: (session: Session) => Promise<T>): Promise<T>
  /** Cancels what is running (pg_cancel_backend from the side), so that Ctrl-C ends promptly. */
  cancelAll(): Promise<void>
  close(): Promise<void>
}

/** How to connect. A URL, or nothing for DATABASE_URL / PG*. */
export interface ConnectOptions {
  readonly url?: string
  /** Connections at most. @default 4 */
  readonly max?: number
  readonly applicationName?: string
}
