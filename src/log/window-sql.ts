import { type Query, sql } from '../sql/index.js'
import type { Cursor } from './cursor.js'

/** SQL of whether an event `e` lies in the cursor's window and was not delivered yet. */
export function inWindow(cursor: Cursor): Query {
  return sql`e.position > ${cursor.position}::bigint
      and ${uptoSees(cursor)}
      and not ${snapshotSees(cursor)}`
}

/** SQL of whether an event `e` was not delivered yet. */
export function notDelivered(cursor: Cursor): Query {
  const after = sql`not ${snapshotSees(cursor)}`
  if (cursor.upto === null) return after
  return sql`${after} and not (e.position <= ${cursor.position}::bigint
    and ${uptoSees(cursor)})`
}

function uptoSees({ upto, uptoPosition, uptoNext }: Cursor): Query {
  return upto === null ? sql`false` : seenBy({ snapshot: upto, position: uptoPosition, next: uptoNext })
}

function snapshotSees({ snapshot, snapshotPosition, snapshotNext }: Cursor): Query {
  return snapshot === null ? sql`false` : seenBy({ snapshot, position: snapshotPosition, next: snapshotNext })
}

/**
 * SQL of whether a mark sees an event. Whoever took its id after the mark draws a greater position than the mark's: an
 * event below it with such an id was written in another cluster, and restored here. It's older than the mark.
 */
function seenBy({
  snapshot,
  position,
  next,
}: {
  readonly snapshot: string
  readonly position: string | null
  readonly next: string | null
}): Query {
  return sql`(pg_catalog.pg_visible_in_snapshot(e.transaction_id, ${snapshot}::pg_catalog.pg_snapshot)
        or (e.transaction_id >= ${next}::pg_catalog.xid8 and e.position <= ${position}::bigint))`
}
