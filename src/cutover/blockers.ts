import type { Session } from '../db/index.js'
import { sql } from '../sql/index.js'

/** A session, or a prepared transaction, whose lock keeps the flip waiting. */
export interface Blocker {
  /** Null for a prepared transaction. */
  readonly pid: string | null
  /** `pid 5120 (web, for 3 s)` */
  readonly who: string
  readonly autovacuum: boolean
  readonly ageMs: number | null
}

/**
 * Who holds a lock on a table, or one of its partitions, that SHARE ROW EXCLUSIVE conflicts with: all but ACCESS SHARE
 * and ROW SHARE. Oldest first. Other roles' applications and times are known to members of pg_read_all_stats only.
 */
export async function readBlockers(session: Session, relid: string): Promise<readonly Blocker[]> {
  const rows = await session.rows<Record<string, string | null>>(sql`
    select l.pid,
      coalesce(nullif(a.application_name, ''), a.usename, '?') as application,
      coalesce(a.backend_type = 'autovacuum worker', false) as autovacuum,
      extract(epoch from clock_timestamp() - a.xact_start) * 1000 as age
    from (
      select distinct l.pid
      from pg_locks l
      where l.locktype = 'relation'
        and l.database = (select oid from pg_database where datname = current_database())
        and l.relation in (select ${relid}::oid union select relid from pg_partition_tree(${relid}::oid::regclass))
        and l.granted
        and l.pid is distinct from pg_backend_pid()
        and l.mode not in ('AccessShareLock', 'RowShareLock')
    ) l
    left join pg_stat_activity a on a.pid = l.pid
    order by a.xact_start`)
  return rows.map((row) => {
    const pid = row['pid'] ?? null
    const autovacuum = row['autovacuum'] === 't'
    const ageMs = row['age'] == null ? null : Number(row['age'])
    const age = ageMs === null ? '' : `, for ${shownAge(ageMs)}`
    const application = autovacuum ? 'autovacuum' : row['application']
    return {
      pid,
      who: pid === null ? 'a prepared transaction' : `pid ${pid} (${application}${age})`,
      autovacuum,
      ageMs,
    }
  })
}

/** `0.4 s`, `42 s`, `3 min`, `2 h`. Pure. */
export function shownAge(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`
}
