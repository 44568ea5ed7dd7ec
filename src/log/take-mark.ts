import { literal, NEXT_ID, qualified, raw, sql } from '../sql/index.js'
import type { Mark } from './cursor.js'
import type { Statements } from './statements.js'

/** Where events are. */
export interface EventsAt {
  readonly schema: string
  readonly table: string
}

/** Takes a mark, in a READ COMMITTED transaction. Three statements, in this order: see `store/event-mark.ts` and `NEXT_ID`. */
export async function takeMark(connection: Statements, events: EventsAt): Promise<Mark> {
  const name = raw(literal(qualified(events.schema, events.table)))
  const answers = await connection.run([
    sql`select coalesce(pg_catalog.pg_sequence_last_value(pg_catalog.pg_get_serial_sequence(${name}, 'position')::pg_catalog.regclass), 0) as position`,
    sql`select ${NEXT_ID} as next`,
    sql`select s as snapshot, pg_catalog.pg_snapshot_xmin(s) as xmin, pg_catalog.pg_snapshot_xmax(s) as xmax
      from pg_catalog.pg_current_snapshot() s`,
  ])
  const { snapshot, xmin, xmax } = answers[2]?.rows[0] ?? {}
  const next = answers[1]?.rows[0]?.['next'] ?? ''
  return {
    snapshot: snapshot ?? '',
    xmin: xmin ?? '',
    next: BigInt(next) > BigInt(xmax ?? '') ? next : (xmax ?? ''),
    position: answers[0]?.rows[0]?.['position'] ?? '0',
  }
}
