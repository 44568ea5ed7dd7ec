import { literal, NEXT_ID, type Query, qualified, raw, sql } from '../sql/index.js'
import type { Mark } from './cursor.js'
import type { Statements } from './statements.js'

/** Where events are. */
export interface EventsAt {
  readonly schema: string
  readonly table: string
}

/**
 * Takes a mark, in a READ COMMITTED transaction. The statements in this order: see `store/event-mark.ts` and `NEXT_ID`.
 *
 * @param restored what an earlier mark in this cluster said of restored events; null: to be asked. For a cursor it must be
 * asked before its first mark; it reads the whole log.
 */
export async function takeMark(
  connection: Statements,
  events: EventsAt,
  restored: string | null,
): Promise<Mark> {
  const name = qualified(events.schema, events.table)
  const answers = await connection.run([
    sql`select ${restored === null ? restoredSql(events) : sql`${restored}::pg_catalog.text`} as restored`,
    sql`select coalesce(pg_catalog.pg_sequence_last_value(q.s), 0) as position, q.s as sequence,
        pg_catalog.has_sequence_privilege(q.s, 'USAGE, SELECT') as may
      from (select pg_catalog.pg_get_serial_sequence(${raw(literal(name))}, 'position')::pg_catalog.regclass as s) q`,
    sql`select ${NEXT_ID} as next`,
    sql`select s as snapshot, pg_catalog.pg_snapshot_xmin(s) as xmin, pg_catalog.pg_snapshot_xmax(s) as xmax
      from pg_catalog.pg_current_snapshot() s`,
  ])
  const { position, sequence, may } = answers[1]?.rows[0] ?? {}
  // A server of version 18 says NULL then, as of a sequence that was never drawn from: let it say what it is.
  if (may !== 't') await connection.run([sql`select last_value from ${raw(sequence ?? '')}`])
  const { snapshot, xmin, xmax } = answers[3]?.rows[0] ?? {}
  const next = answers[2]?.rows[0]?.['next'] ?? ''
  return {
    snapshot: snapshot ?? '',
    xmin: xmin ?? '',
    next: BigInt(next) > BigInt(xmax ?? '') ? next : (xmax ?? ''),
    position: position ?? '0',
    restored: answers[0]?.rows[0]?.['restored'] ?? '0',
  }
}

/**
 * SQL of the position up to which events were restored here, from another cluster; reads them all. One that is there for a
 * snapshot which doesn't know its transaction as ended is of those, and whatever lies below it was there before this
 * cluster's first event. Those whose transaction the snapshot does take for ended are seen by each later one as well.
 */
export function restoredSql({ schema, table }: EventsAt): Query {
  return sql`(
        select coalesce(max(e.position) filter (
            where not pg_catalog.pg_visible_in_snapshot(e.transaction_id, (select pg_catalog.pg_current_snapshot()))
              and e.transaction_id is distinct from pg_catalog.pg_current_xact_id_if_assigned()
          ), 0)
        from ${raw(qualified(schema, table))} e
      )`
}
