import type { Session } from '../db/index.js'
import { sql } from '../sql/index.js'

/** Writes of the application that could not be stored as events, and that no verify has looked at since. */
export interface Incomplete {
  readonly count: string
  /** Of the last one. */
  readonly reason: string | null
  /** Streams, at most ten; null stands for "not known which". */
  readonly ids: readonly (string | null)[]
}

/** Counts what is incomplete of an aggregate. Takes no lock. */
export async function readIncomplete(session: Session, aggregateType: string): Promise<Incomplete> {
  const row = await session.one<{ count: string; reason: string | null; ids: string }>(sql`
    select count(*) as count,
      (array_agg(reason order by id desc))[1] as reason,
      coalesce(to_jsonb((array_agg(aggregate_id order by id))[1:10]), '[]') as ids
    from eventward.incomplete
    where aggregate_type = ${aggregateType}::text
      and resolved_at is null`)
  return { count: row.count, reason: row.reason, ids: JSON.parse(row.ids) as Incomplete['ids'] }
}

/** Up to which id notes were restored from another cluster, whose transaction ids mean nothing here: see `restoredSql`. */
export async function restoredIncomplete(session: Session, aggregateType: string): Promise<string> {
  const { last } = await session.one<{ last: string }>(sql`
    select coalesce(max(id), 0) as last
    from eventward.incomplete
    where aggregate_type = ${aggregateType}::text
      and resolved_at is null
      and not pg_visible_in_snapshot(transaction_id, (select pg_current_snapshot()))`)
  return last
}

/**
 * Closes what a full, clean verify has looked at: what its first snapshot shows. A write that was noted before but
 * committed later may lie behind what was read already, so the time of the note says nothing.
 */
export async function resolveIncomplete(
  session: Session,
  aggregateType: string,
  { snapshot, restored }: { readonly snapshot: string; readonly restored: string },
): Promise<void> {
  await session.execute(sql`
    update eventward.incomplete
    set resolved_at = clock_timestamp()
    where aggregate_type = ${aggregateType}::text
      and resolved_at is null
      and (pg_visible_in_snapshot(transaction_id, ${snapshot}::pg_snapshot) or id <= ${restored}::bigint)`)
}
