import type { Query } from './query.js'
import { sql } from './sql-tag.js'

/**
 * SQL, as an xid8: greater than every transaction id that was given out before it's asked for. Ask in a statement of its
 * own, after what it is to bound and before the snapshot that goes with it, and take the greater one of this and of that
 * snapshot's xmax.
 *
 * A snapshot's xmax alone is no such bound: it's one more than the last id that has *ended*, and the youngest
 * transactions, which are at work, lie at it and above. `age` tells the next id, but its own where a transaction has one
 * already; for that case the locks that each transaction holds on its id are looked at. Who lets go of its lock meanwhile
 * has ended before the snapshot. Both tell 32 bits, which are those nearest to the xmax.
 */
export const NEXT_ID: Query = sql`(
  select (greatest(s.xmax, s.xmax + pg_catalog.max(
      (u.next - s.xmax % 4294967296 + 2 * 4294967296 + 2147483648) % 4294967296 - 2147483648
    )))::pg_catalog.text::pg_catalog.xid8
  from (
    select pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text::bigint as xmax
  ) s
  cross join lateral (
    select l.transactionid::pg_catalog.text::bigint + 1 as next
    from pg_catalog.pg_locks l
    where l.locktype = 'transactionid'
    union all
    select pg_catalog.age('3'::pg_catalog.xid)::bigint + 3
  ) u
  group by s.xmax
)`
