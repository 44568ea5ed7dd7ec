import { setTimeout as sleep } from 'node:timers/promises'
import type { Session } from '../db/index.js'
import { sql } from '../sql/index.js'

/** Ordinary transactions are over by then. */
const PATIENCE_MS = 3_000
const LOOK_EVERY_MS = 100

/**
 * Waits for the transactions that are at work and whose beginning this role may not see (it takes pg_read_all_stats), or
 * nobody may (track_activities is off): once they are over, every transaction has begun after we first looked. Gives those
 * that were not over in time.
 *
 * Each transaction holds a lock on its own virtual id, which everyone may see.
 */
export async function outlastHidden(session: Session): Promise<readonly string[]> {
  const first = await readHidden(session)
  let left = first
  for (let waited = 0; left.size > 0 && waited < PATIENCE_MS; waited += LOOK_EVERY_MS) {
    await sleep(LOOK_EVERY_MS)
    const now = await readHidden(session)
    left = new Map([...left].filter(([id]) => now.has(id)))
  }
  return [...left.values()].map((pid) => `pid ${pid}`)
}

/** Virtual transaction id -> pid. Of sessions of other roles even the kind of backend is hidden. */
async function readHidden(session: Session): Promise<ReadonlyMap<string, string>> {
  const rows = await session.rows<{ id: string; pid: string }>(sql`
    select l.virtualxid as id, l.pid
    from pg_locks l
    join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'virtualxid'
      and l.granted
      and l.mode = 'ExclusiveLock'
      and a.datname = current_database()
      and a.pid <> pg_backend_pid()
      and a.xact_start is null`)
  return new Map(rows.map(({ id, pid }) => [id, pid]))
}
