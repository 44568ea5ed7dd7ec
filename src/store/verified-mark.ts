import { setTimeout as sleep } from 'node:timers/promises'
import { type Session, sqlstateOf } from '../db/index.js'
import type { EventsTable } from '../migrate/index.js'
import { type Mark, NEXT_ID, qualified, raw, sql } from '../sql/index.js'
import type { Partition } from './archive-partition.js'

/** Most transactions that write have ended by then. */
const WAIT_MS = 1_000
const LOOK_MS = 20
/** Walking back over what was recorded since the oldest transaction began. */
const WALK_MS = 2_000

/**
 * The moment from which on what is written counts as new, for a verify that is about to read: whatever the snapshot does
 * not see lies above the horizon, whoever wrote it.
 *
 * The greatest position so far is a horizon once every transaction has ended that may have drawn a smaller one: all that
 * had an id when it was read. That is waited for, for a moment. Where one stays open, the horizon is the last event that
 * was recorded before the oldest transaction began; where it can't be told when that was, it is 0: the whole log is
 * looked through for what is new.
 */
export async function verifiedMark(
  session: Session,
  events: EventsTable,
  partition: Pick<Partition, 'schema' | 'table'>,
): Promise<Mark> {
  // Before the snapshot: a transaction that it doesn't see as ended is among those that were open here, or younger.
  const oldest = await oldestTransaction(session)
  const position = await lastPosition(session, events)
  const next = await nextId(session)
  const end = performance.now() + WAIT_MS
  for (;;) {
    const now = await snapshot(session)
    if (BigInt(now.xmin) >= next) return { snapshot: now.snapshot, horizon: position }
    if (performance.now() > end) {
      return { snapshot: now.snapshot, horizon: await recordedBefore(session, partition, oldest) }
    }
    await sleep(LOOK_MS)
  }
}

/** The last position that was drawn. Asked before a snapshot: whoever has no id yet draws a greater one. */
export async function lastPosition(session: Session, events: EventsTable): Promise<string> {
  const { position } = await session.one<{ position: string }>(sql`
    select coalesce(pg_sequence_last_value(pg_get_serial_sequence(${qualified(events.schema, events.table)}::text,
      'position')::regclass), 0) as position`)
  return position
}

/** Greater than the ids of all that have one, outside of a transaction. See `NEXT_ID`. */
export async function nextId(session: Session): Promise<bigint> {
  const { next } = await session.one<{ next: string }>(sql`select ${NEXT_ID} as next`)
  return BigInt(next)
}

/** The present snapshot and its bounds. */
export function snapshot(session: Session) {
  return session.one<Record<'snapshot' | 'xmin' | 'xmax', string>>(sql`
    select s as snapshot, pg_snapshot_xmin(s) as xmin, pg_snapshot_xmax(s) as xmax
    from pg_current_snapshot() s`)
}

/**
 * When the oldest open transaction began; null where that is hidden from this role, or is told to no one (track_activities
 * is off), or one is prepared: what is told of those is when they were prepared, and their events are older.
 */
async function oldestTransaction(session: Session): Promise<string | null> {
  const { oldest } = await session.one<{ oldest: string | null }>(sql`
    select case
        when exists (select from pg_prepared_xacts where database = current_database()) then null
        when exists (
          select
          from pg_locks l
          join pg_stat_activity a on a.pid = l.pid
          where l.locktype = 'virtualxid'
            and a.datname = current_database()
            and a.pid <> pg_backend_pid()
            and a.xact_start is null
        ) then null
        else (
          select least(min(a.xact_start), clock_timestamp())
          from pg_stat_activity a
          where a.datname = current_database()
            and a.pid <> pg_backend_pid()
        )
      end as oldest`)
  return oldest
}

/** A second earlier, since a position is drawn and the clock is read one after the other. */
async function recordedBefore(
  session: Session,
  { schema, table }: Pick<Partition, 'schema' | 'table'>,
  oldest: string | null,
): Promise<string> {
  if (oldest === null) return '0'
  try {
    const rows = await session.transaction({ readOnly: true, statementTimeoutMs: WALK_MS }, () =>
      session.rows<{ position: string }>(sql`
        select position
        from ${raw(qualified(schema, table))}
        where recorded_at < ${oldest}::timestamptz - interval '1 second'
        order by position desc
        limit 1`),
    )
    return rows[0]?.position ?? '0'
  } catch (error) {
    if (sqlstateOf(error) !== '57014') throw error
    return '0'
  }
}
