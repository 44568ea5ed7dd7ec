import type { Session } from '../db/index.js'
import { qualified, sql } from '../sql/index.js'

/** Our short locks on an application's table: the first bars its writers, the second its readers as well. */
export type LockMode = 'share row exclusive' | 'access exclusive'

/** A session, or a prepared transaction, whose lock would keep ours waiting. */
export interface LockBlocker {
  /** Null for a prepared transaction. */
  readonly pid: string | null
  /** `pid 5120 (web, in a transaction for 3.1 s)` */
  readonly who: string
  /** It yields by itself, but only once whoever waits for it has done so for `deadlock_timeout`. */
  readonly autovacuum: boolean
  /** A VACUUM that somebody started: it yields to no one. */
  readonly vacuum: boolean
  /** How long its transaction is open; null where this role may not see it. */
  readonly ageMs: number | null
}

/**
 * Who holds a lock on a table, or on one of its partitions, that a lock in `mode` conflicts with; oldest first. What
 * other roles run is shown to members of pg_read_all_stats only; that they hold a lock, to everyone.
 */
export async function lockBlockers(
  session: Session,
  { schema, table, mode }: { readonly schema: string; readonly table: string; readonly mode: LockMode },
): Promise<readonly LockBlocker[]> {
  const rows = await session.rows<BlockerRow>(sql`
    with relation as (
      select to_regclass(${qualified(schema, table)}::text) as root
    )
    select l.pid,
      nullif(a.application_name, '') as application,
      a.usename as role,
      coalesce(a.backend_type = 'autovacuum worker', a.pid is not null and a.usesysid is null) as autovacuum,
      exists (select from pg_stat_progress_vacuum v where v.pid = l.pid) as vacuum,
      a.query like '%(to prevent wraparound)%' as wraparound,
      extract(epoch from clock_timestamp() - a.xact_start) * 1000 as age
    from (
      select distinct l.pid
      from pg_locks l
      where l.locktype = 'relation'
        and l.database = (select oid from pg_database where datname = current_database())
        and l.relation in (
          select root::oid from relation
          union
          select t.relid from relation, pg_partition_tree(root) t
        )
        and l.granted
        and l.pid is distinct from pg_backend_pid()
        and l.mode <> all (${PASSES[mode]}::text[])
    ) l
    left join pg_stat_activity a on a.pid = l.pid
    order by a.xact_start`)
  return rows.map(blockerOf)
}

/** Modes that ours does not conflict with. SERIALIZABLE notes what it has read as locks, which bar no one. */
const PASSES: Readonly<Record<LockMode, readonly string[]>> = {
  'share row exclusive': ['AccessShareLock', 'RowShareLock', 'SIReadLock'],
  'access exclusive': ['SIReadLock'],
}

type BlockerRow = Readonly<
  Record<'pid' | 'application' | 'role' | 'autovacuum' | 'vacuum' | 'wraparound' | 'age', string | null>
>

function blockerOf(row: BlockerRow): LockBlocker {
  const { pid } = row
  if (pid === null) {
    return { pid, who: 'a prepared transaction', autovacuum: false, vacuum: false, ageMs: null }
  }
  // One against wraparound doesn't yield.
  const autovacuum = row.autovacuum === 't' && row.wraparound !== 't'
  const vacuum = (row.vacuum === 't' || row.autovacuum === 't') && !autovacuum
  const ageMs = row.age === null ? null : Number(row.age)
  const name = row.autovacuum === 't' ? 'autovacuum' : (row.application ?? row.role ?? 'unnamed')
  const busy = row.autovacuum === 't' || !vacuum ? '' : ', vacuuming'
  const age = ageMs === null ? '' : `, in a transaction for ${shownAge(ageMs)}`
  return { pid, who: `pid ${pid} (${name}${busy}${age})`, autovacuum, vacuum, ageMs }
}

/** The first three, in words. Pure. */
export function blockerNames(blockers: readonly LockBlocker[]): string {
  if (blockers.length === 0) return 'someone who is gone by now'
  const shown = blockers.slice(0, 3).map(({ who }) => who)
  const more = blockers.length - shown.length
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ')
}

/** `0.4 s`, `42 s`, `3 min`, `2 h`. Pure. */
function shownAge(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`
}
