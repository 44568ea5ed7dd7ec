import { connect, type Session, sqlstateOf } from '../db/index.js'
import { GateError } from '../errors/index.js'
import { sql } from '../sql/index.js'

/** "eventwar" in ASCII, as a bigint: a key that nobody else takes by chance. */
const KEY = BigInt('0x6576656e74776172').toString()

export interface LockOptions {
  readonly url?: string | undefined
  /** How long to wait for another process that migrates, in ms. @default 60000 */
  readonly waitMs?: number
  /** Called once when another process is at work, with its application_name and pid. */
  readonly onWait?: (holder: string) => void
}

/**
 * Runs `work` while no other process migrates this database. Holds an advisory lock on a connection of its own, in a
 * transaction: it's let go when the process dies. (A pooler between us and the server is refused by `connect`.)
 *
 * @throws GateError EW_MIGRATE_BUSY when the other one isn't done in time.
 */
export async function withMigrationLock<T>(options: LockOptions, work: () => Promise<T>): Promise<T> {
  const waitMs = options.waitMs ?? 60_000
  const database = await connect({
    ...(options.url === undefined ? {} : { url: options.url }),
    max: 1,
    applicationName: 'eventward migrate (lock)',
  })
  try {
    return await database.session((session) =>
      session.transaction({ lockTimeoutMs: waitMs }, async () => {
        await take(session, waitMs, options.onWait)
        return work()
      }),
    )
  } finally {
    await database.close()
  }
}

async function take(session: Session, waitMs: number, onWait?: (holder: string) => void): Promise<void> {
  const { taken } = await session.one<{ taken: string }>(
    sql`select pg_catalog.pg_try_advisory_xact_lock(${KEY}::bigint) as taken`,
  )
  if (taken === 't') return
  const holder = await whoHolds(session)
  onWait?.(holder)
  try {
    await session.execute(sql`select pg_catalog.pg_advisory_xact_lock(${KEY}::bigint)`)
  } catch (error) {
    if (sqlstateOf(error) !== '55P03') throw error
    throw new GateError('EW_MIGRATE_BUSY', `another process migrates this database: ${holder}`, {
      next: 'Wait until it is done, or end it, and run this again.',
      details: { waitedMs: waitMs, holder },
      cause: error,
    })
  }
}

async function whoHolds(session: Session): Promise<string> {
  const rows = await session.rows<{ holder: string }>(
    // A bigint key is split over classid and objid; objsubid 1 says so.
    sql`select format('%s (pid %s)', a.application_name, a.pid) as holder
      from pg_locks l
      join pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'advisory'
        and l.granted
        and l.database = (select oid from pg_database where datname = current_database())
        and l.objsubid = 1
        and (l.classid::bigint << 32) | l.objid::bigint = ${KEY}::bigint`,
  )
  return rows[0]?.holder ?? 'it has just finished'
}
