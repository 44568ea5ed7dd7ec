import { applicationKnex } from '../../db/index.js'
import type { Texts, Write } from '../ledger.js'

/** One statement or several, in the application's transaction. `?` stands for a value. */
export interface Statements {
  /** Runs a statement that returns `ROW`; gives what it did to rows. */
  readonly write: (text: string, values?: readonly unknown[]) => Promise<readonly Write[]>
  readonly run: (text: string) => Promise<void>
}

export type Isolation = 'read committed' | 'repeatable read'

/** A knex of an application that knows nothing of us. */
export type Knex = ReturnType<typeof applicationKnex>

/** One connection of the application: plain SQL through its own knex, and nothing of ours. */
export class Application {
  readonly knex: Knex

  constructor(url: string, applicationName: string) {
    this.knex = applicationKnex({ url, applicationName })
  }

  async connect(): Promise<void> {
    await this.knex.raw('select 1')
  }

  /** A statement that is its own transaction. */
  async write(text: string, values: readonly unknown[] = []): Promise<readonly Write[]> {
    return writesOf(await this.knex.raw<Result>(text, [...values] as never))
  }

  /** Rolls back and rethrows where `work` throws. */
  async transaction<T>(isolation: Isolation, work: (statements: Statements) => Promise<T>): Promise<T> {
    return this.knex.transaction(
      (trx) =>
        work({
          write: async (text, values = []) => writesOf(await trx.raw<Result>(text, [...values] as never)),
          run: async (text) => {
            await trx.raw(text)
          },
        }),
      { isolationLevel: isolation },
    )
  }

  async close(): Promise<void> {
    await this.knex.destroy()
  }
}

interface Result {
  readonly command: string
  readonly rows: readonly Texts[]
}

/** The columns of the table; instants as UTC, whatever the application's time zone. */
const COLUMNS = [
  'id',
  'user_id',
  'reward_id',
  'payment_source_key',
  'status',
  'stripe_key',
  'created_at',
  'activated_at',
  'deactivated_at',
]

/**
 * The whole row as texts, the ticket and the transaction, for RETURNING or a select: for the ledger.
 * pg would make numbers and Dates of what isn't text.
 */
export const ROW = [
  ...COLUMNS.map((name) =>
    name.endsWith('_at')
      ? `(${name} at time zone 'UTC')::text || '+00' as ${name}`
      : `${name}::text as ${name}`,
  ),
  `nextval('public.ledger')::text as "~ticket"`,
  `pg_current_xact_id()::text as "~xid"`,
].join(', ')

function writesOf({ command, rows }: Result): readonly Write[] {
  return rows.map((row) => writeOf(row, command === 'DELETE'))
}

/** Of a row that came with `ROW`. */
export function writeOf({ '~ticket': ticket, '~xid': xid, ...row }: Texts, gone: boolean): Write {
  return {
    table: 'subscriptions',
    key: row['id'] ?? '',
    ticket: BigInt(ticket ?? 0),
    xid: xid ?? '',
    row: gone ? null : row,
  }
}
