import type { CallerConnection } from '../runtime/index.js'
import { literal, type Query, qualified, raw, sql } from '../sql/index.js'
import type { Cursor } from './generations.js'

/** A moment of the log: what `snapshot` sees is written. */
export interface Mark {
  readonly snapshot: string
  readonly xmin: string
  readonly xmax: string
  /** Drawn before the snapshot was taken: whoever has no id in it yet draws a greater one. */
  readonly position: string
}

/** Where events are. */
export interface EventsAt {
  readonly schema: string
  readonly table: string
}

/** Takes a mark. Two statements, in this order: see `store/event-mark.ts`. */
export async function takeMark(connection: CallerConnection, events: EventsAt): Promise<Mark> {
  const name = raw(literal(qualified(events.schema, events.table)))
  const answers = await connection.run([
    sql`select coalesce(pg_catalog.pg_sequence_last_value(pg_catalog.pg_get_serial_sequence(${name}, 'position')::pg_catalog.regclass), 0) as position`,
    sql`select s as snapshot, pg_catalog.pg_snapshot_xmin(s) as xmin, pg_catalog.pg_snapshot_xmax(s) as xmax
      from pg_catalog.pg_current_snapshot() s`,
  ])
  const { snapshot, xmin, xmax } = answers[1]?.rows[0] ?? {}
  return {
    snapshot: snapshot ?? '',
    xmin: xmin ?? '',
    xmax: xmax ?? '',
    position: answers[0]?.rows[0]?.['position'] ?? '0',
  }
}

/**
 * Opens a window: what the mark sees and the cursor's snapshot doesn't, above the cursor's horizon. The horizon that holds
 * once it's drained is an earlier mark's position, as soon as all have ended that may have drawn a smaller one. Pure.
 */
export function openWindow(cursor: Cursor, mark: Mark): Cursor {
  const ended = cursor.pendingXmax !== null && BigInt(cursor.pendingXmax) <= BigInt(mark.xmin)
  const reached = ended ? BigInt(cursor.pendingPosition ?? '0') : 0n
  const known = BigInt(cursor.horizon)
  const keep = cursor.pendingXmax !== null && !ended
  return {
    ...cursor,
    nextHorizon: String(reached > known ? reached : known),
    pendingPosition: keep ? cursor.pendingPosition : mark.position,
    pendingXmax: keep ? cursor.pendingXmax : mark.xmax,
    upto: mark.snapshot,
    position: cursor.horizon,
  }
}

/** All of the window was written: what `upto` saw is the past now. Pure. */
export function closeWindow(cursor: Cursor): Cursor {
  return {
    ...cursor,
    snapshot: cursor.upto,
    horizon: cursor.nextHorizon ?? cursor.horizon,
    nextHorizon: null,
    upto: null,
    position: '0',
  }
}

/** SQL of whether an event `e` lies in the cursor's window and was not written yet. */
export function inWindow(cursor: Cursor): Query {
  const seen =
    cursor.snapshot === null
      ? sql``
      : sql`and not pg_catalog.pg_visible_in_snapshot(e.transaction_id, ${cursor.snapshot}::pg_catalog.pg_snapshot)`
  return sql`e.position > ${cursor.position}::bigint
      and pg_catalog.pg_visible_in_snapshot(e.transaction_id, ${cursor.upto}::pg_catalog.pg_snapshot)
      ${seen}`
}

/** SQL of whether an event `e` was not written yet. */
export function notWritten(cursor: Cursor): Query {
  const after =
    cursor.snapshot === null
      ? sql`true`
      : sql`not pg_catalog.pg_visible_in_snapshot(e.transaction_id, ${cursor.snapshot}::pg_catalog.pg_snapshot)`
  if (cursor.upto === null) return after
  return sql`${after} and not (e.position <= ${cursor.position}::bigint
    and pg_catalog.pg_visible_in_snapshot(e.transaction_id, ${cursor.upto}::pg_catalog.pg_snapshot))`
}
