import type { Knex } from 'knex'
import { type Query, sql } from '../sql/index.js'
import {
  type Answer,
  type CallerConnection,
  callerConnection,
  type DriverClient,
} from './caller-connection.js'
import { keepsStatements } from './kept-statement.js'
import type { KnexClient, KnexTransaction } from './knex-internals.js'

/** The transaction that a command is carried out in. */
export interface Held {
  readonly connection: CallerConnection
  /** As knex has it; null as long as nobody wanted it. */
  readonly trx: Knex.Transaction | null
  /** Has knex take over the transaction that is under way. */
  take(): Promise<Knex.Transaction>
  /** Runs statements and commits, in one round trip; null where someone else commits. */
  readonly runLast: ((statements: readonly Query[]) => Promise<readonly Answer[]>) | null
}

/** One that the caller holds, and ends. */
export function heldByCaller(trx: Knex.Transaction, connection: CallerConnection): Held {
  return { connection, trx, take: async () => trx, runLast: null }
}

/** What shimmed knexes do when a transaction begins must be done: those begin it themselves. */
export function mayBegin({ client }: Knex): boolean {
  return !Object.hasOwn(client as object, 'transaction')
}

/**
 * Carries out `work` in a transaction on a connection of the pool. BEGIN goes with its first statements and COMMIT, by
 * `runLast`, with its last ones: on a round trip a client spends more than the server does on a statement. Knex comes in
 * where someone wants its transaction; then knex ends it.
 */
export async function inOwnTransaction<T>(knex: Knex, work: (held: Held) => Promise<T>): Promise<T> {
  const client = knex.client as KnexClient
  const driver = await client.acquireConnection()
  const own = ownTransaction(knex, driver)
  try {
    const result = await work(own.held)
    await own.commit()
    return result
  } catch (error) {
    await own.rollback(error)
    throw error
  } finally {
    // Knex notes its transaction there, and clears it on connections that it took itself.
    delete (driver as Tagged).__knexTxId
    client.releaseConnection(driver)
  }
}

interface Tagged {
  __knexTxId?: string
  /** What knex's pool gives no one any more. */
  __knex__disposed?: unknown
}

const [BEGIN, COMMIT, ROLLBACK] = [sql`begin`, sql`commit`, sql`rollback`]

function ownTransaction(knex: Knex, driver: DriverClient) {
  const plain = callerConnection(driver, keepsStatements(knex))
  let state: 'none' | 'open' | 'over' = 'none'
  let taken: Taken | null = null

  const connection: CallerConnection = {
    async run(statements) {
      if (state !== 'none') return plain.run(statements)
      state = 'open'
      return (await plain.run([BEGIN, ...statements])).slice(1)
    },
    async ask(text, values) {
      if (state === 'none') await connection.run([])
      return plain.ask(text, values)
    },
  }
  const held: Held = {
    connection,
    get trx() {
      return taken?.trx ?? null
    },
    async take() {
      if (state === 'none') await connection.run([])
      taken ??= await takeOver(knex, driver)
      return taken.trx
    },
    get runLast() {
      if (taken !== null) return null
      return async (statements: readonly Query[]) => {
        const answers = await connection.run([...statements, COMMIT])
        state = 'over'
        return answers.slice(0, -1)
      }
    },
  }
  return {
    held,
    async commit() {
      if (taken !== null) await taken.end()
      else if (state === 'open') await plain.run([COMMIT])
    },
    async rollback(error: unknown) {
      if (taken !== null) return taken.undo(error)
      if (state !== 'open') return
      // Where COMMIT failed nothing is left. An error comes ahead of the end of its answer: only the next one knows.
      await plain.run([]).catch(() => undefined)
      if (driver.getTransactionStatus?.() === 'I') return
      await plain.run([ROLLBACK]).catch((cause: unknown) => {
        Object.assign(driver, { __knex__disposed: cause })
      })
    },
  }
}

interface Taken {
  readonly trx: Knex.Transaction
  end(): Promise<void>
  undo(error: unknown): Promise<void>
}

/** A transaction of knex on a connection on which one has begun. */
async function takeOver(knex: Knex, driver: DriverClient): Promise<Taken> {
  let done: () => void = () => undefined
  let fail: (error: unknown) => void = () => undefined
  const work = new Promise<void>((resolve, reject) => {
    done = resolve
    fail = reject
  })
  let transaction: KnexTransaction | undefined
  const trx = await new Promise<Knex.Transaction>((resolve, reject) => {
    transaction = (knex.client as KnexClient).transaction(
      (made) => {
        resolve(made)
        return work
      },
      { userParams: knex.userParams, doNotRejectOnRollback: true, connection: driver },
    )
    transaction.begin = async () => undefined
    transaction.then(undefined, reject)
  })
  return {
    trx,
    async end() {
      done()
      await transaction
    },
    async undo(error) {
      fail(error)
      await transaction?.then(undefined, () => undefined)
    },
  }
}
