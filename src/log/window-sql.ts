import { type Query, sql } from '../sql/index.js'
import type { Cursor } from './cursor.js'

/** SQL of whether an event `e` lies in the cursor's window and was not delivered yet. */
export function inWindow(cursor: Cursor): Query {
  return sql`e.position > ${cursor.position}::bigint
      and ${seenBy(cursor.upto, cursor.uptoPosition)}
      and not ${seenBy(cursor.snapshot, cursor.snapshotPosition)}`
}

/** SQL of whether an event `e` was not delivered yet. */
export function notDelivered(cursor: Cursor): Query {
  const after = sql`not ${seenBy(cursor.snapshot, cursor.snapshotPosition)}`
  if (cursor.upto === null) return after
  return sql`${after} and not (e.position <= ${cursor.position}::bigint
    and ${seenBy(cursor.upto, cursor.uptoPosition)})`
}

/**
 * SQL of whether a mark sees an event. Whoever has no id in its snapshot yet draws a greater position than the mark's: an
 * event below it with such an id was written in another cluster, and restored here. It's older than the mark.
 */
function seenBy(snapshot: string | null, position: string | null): Query {
  if (snapshot === null) return sql`false`
  return sql`(pg_catalog.pg_visible_in_snapshot(e.transaction_id, ${snapshot}::pg_catalog.pg_snapshot)
        or (e.transaction_id >= pg_catalog.pg_snapshot_xmax(${snapshot}::pg_catalog.pg_snapshot)
          and e.position <= ${position}::bigint))`
}
