import type { CatalogTable } from '../catalog/index.js'
import { type Session, sqlstateOf } from '../db/index.js'
import { ident, qualified, raw, sql } from '../sql/index.js'
import type { ObservedStatuses } from './inferred.js'
import { MOST_STATUSES, statusColumns } from './status-columns.js'

/** A status column has no index as a rule: the table is read through, but not for longer than this. */
const STATEMENT_TIMEOUT_MS = 30_000

/**
 * Reads the distinct values of a table's status columns, up to one more than a lifecycle has, in a READ ONLY
 * transaction. A column that can't be read (no right to, row level security, too many rows for the time) is left out:
 * its values then travel as data.
 */
export async function readStatuses(session: Session, table: CatalogTable): Promise<ObservedStatuses> {
  const observed = new Map<string, readonly string[]>()
  for (const column of statusColumns(table)) {
    const name = raw(ident(column.name))
    const query = sql`
      select distinct format('%s', t.${name}) as status
      from ${raw(qualified(table.schema, table.name))} t
      where t.${name} is not null
      limit ${String(MOST_STATUSES + 1)}::bigint`
    try {
      const rows = await session.transaction(
        { readOnly: true, statementTimeoutMs: STATEMENT_TIMEOUT_MS, lockTimeoutMs: 2_000 },
        (transaction) => transaction.rows<{ readonly status: string }>(query),
      )
      observed.set(
        column.name,
        rows.map(({ status }) => status),
      )
    } catch (error) {
      if (!isUnreadable(error)) throw error
    }
  }
  return observed
}

/** 42501 insufficient_privilege (row level security too), 57014 query_canceled, 55P03 lock_not_available. */
function isUnreadable(error: unknown): boolean {
  return ['42501', '57014', '55P03'].includes(sqlstateOf(error) ?? '')
}
