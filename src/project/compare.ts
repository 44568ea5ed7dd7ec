import type { Knex } from 'knex'
import { sqlstateOf } from '../db/index.js'
import { connectionOf } from '../runtime/index.js'
import { ident, qualified, raw, sql } from '../sql/index.js'
import type { Generation } from './generations.js'

/** The old generation beside the new one, when both had been given the same events. Counts are texts. */
export interface Parity {
  readonly oldRows: string
  readonly newRows: string
  /** Rows, by the text of each column, that the other one doesn't have. */
  readonly onlyOld: string
  readonly onlyNew: string
  /** Columns that only one of them has: they are not compared. */
  readonly columns: readonly string[]
}

/** Why there is nothing to show. */
export type NoParity =
  | 'first'
  | 'other version'
  | 'restored elsewhere'
  | 'of events that were archived'
  | 'too large to compare under the lock'

/** Compares two tables row by row, in the columns that both have. Gives null where that takes longer than `withinMs`. */
export async function compareGenerations(
  trx: Knex.Transaction,
  { old, next, withinMs }: { readonly old: Generation; readonly next: Generation; readonly withinMs: number },
): Promise<Parity | null> {
  const connection = await connectionOf(trx)
  const names = async ({ schema, table }: Generation) => {
    const [answer] = await connection.run([
      sql`
      select a.attname as name
      from pg_catalog.pg_attribute a
      join pg_catalog.pg_class c on c.oid = a.attrelid
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = ${schema}::text
        and c.relname = ${table}::text
        and a.attnum > 0
        and not a.attisdropped
      order by a.attnum`,
    ])
    return (answer?.rows ?? []).map(({ name }) => name ?? '')
  }
  const [ofOld, ofNext] = [await names(old), await names(next)]
  const common = ofOld.filter((name) => ofNext.includes(name))
  const others = [...ofOld, ...ofNext].filter((name) => !common.includes(name))
  const columns = raw(
    common.map((name) => `pg_catalog.format('%s', ${ident(name)}), ${ident(name)} is null`).join(', '),
  )
  const rows = ({ schema, table }: Generation) => sql`select ${columns} from ${raw(qualified(schema, table))}`
  try {
    const answers = await connection.run([
      sql`savepoint eventward_compare`,
      sql`select pg_catalog.set_config('statement_timeout', ${String(withinMs)}::text, true)`,
      sql`
      select (select count(*) from ${raw(qualified(old.schema, old.table))}) as old_rows,
        (select count(*) from ${raw(qualified(next.schema, next.table))}) as new_rows,
        (select count(*) from (${rows(old)} except all ${rows(next)}) d) as only_old,
        (select count(*) from (${rows(next)} except all ${rows(old)}) d) as only_new`,
      // With the setting; nothing was locked.
      sql`rollback to savepoint eventward_compare`,
      sql`release savepoint eventward_compare`,
    ])
    const found = answers[2]?.rows[0] ?? {}
    return {
      oldRows: found['old_rows'] ?? '',
      newRows: found['new_rows'] ?? '',
      onlyOld: found['only_old'] ?? '',
      onlyNew: found['only_new'] ?? '',
      columns: others,
    }
  } catch (error) {
    await connection.run([
      sql`rollback to savepoint eventward_compare`,
      sql`release savepoint eventward_compare`,
    ])
    if (sqlstateOf(error) !== '57014') throw error
    return null
  }
}
