import type { Knex } from 'knex'
import type { DriverClient } from './caller-connection.js'

/**
 * What `withEvents` uses of knex 3 beyond its types: a client makes a runner for each builder and begins transactions,
 * whose clients are made by the same class. Told here, in one place; `test/runtime/with-events.pg.test.ts` fails where a
 * version of knex has it otherwise.
 */
export interface KnexClient {
  readonly config: object
  /** True for the client of a transaction, which has one connection. */
  readonly transacting?: boolean
  acquireConnection(): Promise<DriverClient>
  releaseConnection(connection: DriverClient): Promise<void>
  runner(builder: KnexBuilder): KnexRunner
  transaction(container: (trx: Knex.Transaction) => unknown, config: object, outer?: unknown): KnexTransaction
  processResponse(compiled: Compiled, runner: KnexRunner): unknown
}

export interface KnexRunner {
  run(): Promise<unknown>
  query(compiled: Compiled): Promise<unknown>
  stream(...options: unknown[]): unknown
}

/** A statement on its way: with `?` for its values. */
export interface Compiled {
  sql: string
  readonly bindings: readonly unknown[]
  readonly returning?: unknown
  output?: ((this: KnexRunner, response: Response) => unknown) | undefined
  response?: Response
}

export interface Response {
  rows: Record<string, unknown>[]
  fields: unknown[]
  readonly rowCount: number | null
}

/** The promise of a transaction, and what it does when it begins. */
export interface KnexTransaction extends PromiseLike<unknown> {
  readonly trxClient: KnexClient
  begin(connection: DriverClient): Promise<unknown>
  savepoint(connection: DriverClient): Promise<unknown>
}

/** A query builder, a raw query or a schema builder. */
export interface KnexBuilder {
  readonly isRawInstance?: boolean
  /** A raw query's text. */
  readonly sql?: string
  readonly _connection?: DriverClient
  _method?: string
  _single?: Single
  _statements?: readonly { readonly grouping: string }[]
  _events?: unknown
  _timeout?: unknown
  _cancelOnTimeout?: unknown
  clone(): KnexBuilder & Knex.QueryBuilder
  toSQL(): Compiled | readonly Compiled[]
}

export interface Single {
  readonly table?: unknown
  readonly schema?: string
  readonly insert?: unknown
  readonly update?: Readonly<Record<string, unknown>>
  readonly counter?: Readonly<Record<string, unknown>>
  readonly updateFrom?: unknown
  readonly using?: unknown
  readonly onConflict?: unknown
  readonly merge?: { readonly updates?: unknown }
  readonly ignore?: boolean
}

/** A runner as knex itself would make it, for whatever client. */
export function plainRunner(client: KnexClient, builder: KnexBuilder): KnexRunner {
  const prototype = Object.getPrototypeOf(client) as KnexClient
  return prototype.runner.call(client, builder)
}
