import { PassThrough, type Readable } from 'node:stream'
import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { DatabaseError } from '../errors/index.js'
import type { Query } from '../sql/index.js'
import { databaseError } from './database-error.js'
import type { Session, Target, TextRow, TransactionOptions } from './session.js'

/** A session on a client whose settings are pinned. Whoever lends the client looks at `broken` when it comes back. */
export class PinnedSession implements Session {
  /** The connection must not be used again: it died, or was left in a state that nobody knows. */
  broken = false
  #inTransaction = false

  constructor(
    private readonly client: pg.ClientBase,
    private readonly target: Target,
  ) {}

  async rows<R extends TextRow = TextRow>(query: Query): Promise<readonly R[]> {
    return (await this.#run<R>(query)).rows
  }

  async one<R extends TextRow = TextRow>(query: Query): Promise<R> {
    const rows = await this.rows<R>(query)
    const [row] = rows
    if (row === undefined || rows.length > 1) {
      throw new DatabaseError('EW_DB_NOT_ONE', `expected one row, got ${rows.length}`, {
        details: { statement: query.text },
      })
    }
    return row
  }

  async execute(query: Query): Promise<number> {
    return (await this.#run(query)).rowCount ?? 0
  }

  async transaction<T>(options: TransactionOptions, work: (session: Session) => Promise<T>): Promise<T> {
    if (this.#inTransaction) {
      throw new DatabaseError(
        'EW_DB_NESTED',
        'a transaction was begun within a transaction of the same session',
      )
    }
    this.#inTransaction = true
    try {
      await this.#run({ text: beginText(options), values: [] })
      const result = await work(this)
      await this.#commit()
      return result
    } catch (error) {
      await this.#rollback()
      throw error
    } finally {
      this.#inTransaction = false
    }
  }

  copyTo(text: string): Readable {
    const source = this.client.query(copyTo(text))
    const out = new PassThrough()
    let ended = false
    // Until the last row has come, the connection is of no use to anyone else.
    this.broken = true
    source.on('end', () => {
      ended = true
      this.broken = false
    })
    source.on('error', (error: unknown) => {
      ended = true
      this.broken = false
      this.#look(error)
      out.destroy(databaseError(error, this.target))
    })
    // A reader that stops early leaves the server in the middle of a COPY: only dropping the connection ends that.
    out.on('close', () => {
      if (!ended) dropConnection(this.client)
    })
    source.pipe(out)
    return out
  }

  async #run<R extends TextRow = TextRow>({ text, values }: Query): Promise<pg.QueryResult<R>> {
    try {
      const result = await this.client.query<R>({ text, values: values as unknown[] })
      // Several statements in one text give several results: the last one counts.
      return Array.isArray(result) ? (result.at(-1) as pg.QueryResult<R>) : result
    } catch (error) {
      this.#look(error)
      throw databaseError(error, this.target)
    }
  }

  async #commit(): Promise<void> {
    const { command } = await this.#run({ text: 'commit', values: [] })
    // COMMIT of a transaction in which a statement failed rolls back, and says so only in its tag.
    if (command === 'COMMIT') return
    throw new DatabaseError('EW_DB_FAILED', 'the transaction was rolled back: a statement in it had failed', {
      details: { sqlstate: '25P02' },
    })
  }

  async #rollback(): Promise<void> {
    if (this.broken) return
    await this.#run({ text: 'rollback', values: [] }).catch(() => {
      this.broken = true
    })
  }

  #look(error: unknown): void {
    if (databaseError(error, this.target).code !== 'EW_DB_FAILED') this.broken = true
  }
}

/** The driver has no public way to end a connection without waiting for the statement that runs on it. */
function dropConnection(client: pg.ClientBase): void {
  ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
}

/** BEGIN and the bounds of the transaction in one round trip. */
function beginText(options: TransactionOptions): string {
  const mode = `isolation level ${options.isolation ?? 'read committed'}, ${options.readOnly ? 'read only' : 'read write'}`
  const bounds = [
    ...(options.lockTimeoutMs === undefined ? [] : [`set local lock_timeout = ${ms(options.lockTimeoutMs)}`]),
    ...(options.statementTimeoutMs === undefined
      ? []
      : [`set local statement_timeout = ${ms(options.statementTimeoutMs)}`]),
  ]
  return [`begin transaction ${mode}`, ...bounds].join('; ')
}

/** Whole milliseconds, and never 0, which means "no timeout". */
function ms(value: number): number {
  return Math.min(Math.max(Math.ceil(value), 1), 2_147_483_647)
}
