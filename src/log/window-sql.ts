import { type Query, sql } from '../sql/index.js'
import type { Cursor } from './cursor.js'

/** SQL of whether an event `e` lies in the cursor's window and was not delivered yet. */
export function inWindow(cursor: Cursor): Query {
  return sql`e.position > ${cursor.position}::bigint
      and ${seenBy(cursor.upto, cursor.restored)}
      and not ${seenBy(cursor.snapshot, cursor.restored)}`
}

/** SQL of whether an event `e` was not delivered yet. */
export function notDelivered(cursor: Cursor): Query {
  const after = sql`not ${seenBy(cursor.snapshot, cursor.restored)}`
  if (cursor.upto === null) return after
  return sql`${after} and not (e.position <= ${cursor.position}::bigint
    and ${seenBy(cursor.upto, cursor.restored)})`
}

/** SQL of whether a snapshot sees an event. Those of another cluster, whose ids mean nothing here, are older than all. */
function seenBy(snapshot: string | null, restored: string | null): Query {
  if (snapshot === null) return sql`false`
  return sql`(pg_catalog.pg_visible_in_snapshot(e.transaction_id, ${snapshot}::pg_catalog.pg_snapshot)
        or e.position <= ${restored}::bigint)`
}
