import type { Knex } from 'knex'
import { OUTPUT_SETTINGS } from '../db/index.js'
import { UsageError } from '../errors/index.js'
import { ident, inlineQuery, literal, type Query, type QueryValue, raw, sql } from '../sql/index.js'
import { type KeptStatement, mayKeep, senderOn } from './kept-statement.js'

/** One row as it came: every value is PostgreSQL's text, whatever parsers the application has. */
export type Texts = Readonly<Record<string, string | null>>

/** What is used of the driver's client, which belongs to the application. */
export interface DriverClient {
  query(config: {
    readonly text: string
    readonly values?: readonly unknown[]
    readonly types: unknown
  }): Promise<Result | readonly Result[]>
  /** As the last answer that has ended said it: I outside of a transaction, T in one, E in one that failed. New in pg 8.17. */
  getTransactionStatus?(): string | null
}

interface Result {
  readonly rows: readonly Texts[]
  readonly rowCount: number | null
}

export interface Answer {
  readonly rows: readonly Texts[]
  readonly count: number
}

/** The connection of a transaction that the application holds. */
export interface CallerConnection {
  /** Runs statements in one round trip, under the application's settings. One answer each. Errors are the driver's. */
  run(statements: readonly Query[]): Promise<readonly Answer[]>
  /** Runs one statement with the application's own values, as the driver sends them; gives texts. */
  ask(text: string, values: readonly unknown[]): Promise<readonly Texts[]>
}

/**
 * The connection of a knex transaction, past knex: its builder and the application's type parsers would make JavaScript
 * values of what are texts.
 *
 * @param keeps prepares statements that are marked so (`kept`): where a pooler lends its connections by transaction they are
 * gone in the next one, and the transaction fails.
 * @throws UsageError EW_TRANSACTION_OVER where it was committed or rolled back already.
 */
export async function connectionOf(
  trx: Knex.Transaction,
  { keeps = false }: { readonly keeps?: boolean } = {},
): Promise<CallerConnection> {
  if (trx.isCompleted()) {
    throw new UsageError('EW_TRANSACTION_OVER', 'the transaction was committed or rolled back already', {
      next: 'Await the command before the transaction ends.',
    })
  }
  // Public in knex's documentation for dialects, untyped: a transaction's client has this one connection.
  return callerConnection((await trx.client.acquireConnection()) as DriverClient, keeps)
}

export function callerConnection(client: DriverClient, keeps = false): CallerConnection {
  return {
    async run(statements) {
      const sender = keeps ? senderOn(client) : null
      const texts = statements.map((statement) =>
        sender !== null && isKept(statement) && mayKeep(client, statement)
          ? sender.texts(statement)
          : [inlineQuery(withoutArrays(statement))],
      )
      try {
        const result = await client.query({ text: texts.flat().join(';\n'), types: TEXT_ONLY })
        const results = 'rows' in result ? [result] : result
        let at = -1
        // What is prepared has an answer, too, ahead of the statement's own.
        return texts.map(({ length }) => {
          at += length
          const { rows = [], rowCount = null } = results[at] ?? {}
          return { rows, count: rowCount ?? 0 }
        })
      } catch (error) {
        sender?.failed()
        throw error
      }
    },
    async ask(text, values) {
      const result = await client.query({ text, values, types: TEXT_ONLY })
      return 'rows' in result ? result.rows : []
    },
  }
}

function isKept(statement: Query): statement is KeptStatement {
  return 'form' in statement
}

const TEXT_ONLY = { getTypeParser: () => (text: string) => text }

/** Settings under which texts are canonical; array_nulls says how the text of an array is read. */
const PINNED = { ...OUTPUT_SETTINGS, array_nulls: 'on', transform_null_equals: 'off' }

/** Pins the settings of our output until the transaction, or the savepoint, ends. */
export const pinLocally: Query = sql`select ${raw(
  Object.entries(PINNED)
    .map(([name, value]) => `pg_catalog.set_config(${literal(name)}, ${literal(value)}, true)`)
    .join(', '),
)}`

/**
 * Notes the application's settings in a setting of our own, so that `restoreSettings` gives them back within the same
 * transaction. A savepoint would do that as well, but rolling back to it would let go of row locks.
 */
export const keepSettings: Query = keep([...Object.keys(PINNED), 'eventward.metadata'])

function keep(names: readonly string[]): Query {
  const pairs = names.map(
    (name) => `${literal(name)}, coalesce(pg_catalog.current_setting(${literal(name)}, true), '')`,
  )
  return sql`select pg_catalog.set_config('eventward.kept', pg_catalog.json_build_object(${raw(pairs.join(', '))})::pg_catalog.text, true)`
}

export const restoreSettings: Query = sql`select pg_catalog.set_config(k.key, k.value, true)
  from pg_catalog.json_each_text(pg_catalog.current_setting('eventward.kept')::pg_catalog.json) as k`

/**
 * Makes the transaction, or the innermost savepoint, one that can only be rolled back, as an error of the database does: a
 * caller who catches what was thrown must not commit the half of it.
 */
export async function endTransaction(connection: CallerConnection, where: string): Promise<void> {
  const message = `${where} failed after it had written: this can only be rolled back`
  // It fails by design, and does so, too, where an error of the database was first.
  await connection
    .run([sql`do ${raw(literal(`begin raise exception ${literal(message.replaceAll('%', '%%'))}; end`))}`])
    .catch(() => undefined)
}

/** A setting of this transaction alone. */
export function setLocally(name: string, value: string): Query {
  return sql`select pg_catalog.set_config(${raw(literal(name))}, ${value}, true)`
}

/** A savepoint's name is an identifier like any other. */
export const savepoint = {
  begin: (name: string): Query => sql`savepoint ${raw(ident(name))}`,
  undo: (name: string): Query => sql`rollback to savepoint ${raw(ident(name))}`,
  end: (name: string): Query => sql`release savepoint ${raw(ident(name))}`,
}

/** An array as the text of an array literal: a statement without parameters takes no other. */
function withoutArrays({ text, values }: Query): Query {
  return { text, values: values.map(arrayText) }
}

function arrayText(value: QueryValue): string | null {
  if (value === null || typeof value === 'string') return value
  const members = value.map((member) =>
    member === null ? 'NULL' : `"${member.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
  )
  return `{${members.join(',')}}`
}
