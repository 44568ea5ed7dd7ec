import { type Query, sql } from '../sql/index.js'
import type { Cursor } from './cursor.js'

/** SQL of whether an event `e` lies in the cursor's window and was not delivered yet. */
export function inWindow(cursor: Cursor): Query {
  const seen =
    cursor.snapshot === null
      ? sql``
      : sql`and not pg_catalog.pg_visible_in_snapshot(e.transaction_id, ${cursor.snapshot}::pg_catalog.pg_snapshot)`
  return sql`e.position > ${cursor.position}::bigint
      and pg_catalog.pg_visible_in_snapshot(e.transaction_id, ${cursor.upto}::pg_catalog.pg_snapshot)
      ${seen}`
}

/** SQL of whether an event `e` was not delivered yet. */
export function notDelivered(cursor: Cursor): Query {
  const after =
    cursor.snapshot === null
      ? sql`true`
      : sql`not pg_catalog.pg_visible_in_snapshot(e.transaction_id, ${cursor.snapshot}::pg_catalog.pg_snapshot)`
  if (cursor.upto === null) return after
  return sql`${after} and not (e.position <= ${cursor.position}::bigint
    and pg_catalog.pg_visible_in_snapshot(e.transaction_id, ${cursor.upto}::pg_catalog.pg_snapshot))`
}
