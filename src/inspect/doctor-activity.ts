import type { Session } from '../db/index.js'
import { sql } from '../sql/index.js'
import { type Finding, fine, found } from './finding.js'

/** A transaction older than this holds back vacuum and, later, a cutover. */
const OLD = '5 minutes'

/** Looks for old transactions and prepared ones. Names them; ends none. */
export async function checkActivity(session: Session): Promise<readonly Finding[]> {
  return [...(await oldTransactions(session)), ...(await preparedTransactions(session))]
}

async function oldTransactions(session: Session): Promise<readonly Finding[]> {
  const rows = await session.rows(sql`
    select
      pid,
      coalesce(nullif(application_name, ''), 'unnamed') as application,
      coalesce(usename, '?') as role,
      state,
      extract(epoch from clock_timestamp() - xact_start)::bigint / 60 as minutes
    from pg_stat_activity
    where datname = current_database()
      and pid <> pg_backend_pid()
      and xact_start < clock_timestamp() - ${OLD}::interval
    order by xact_start`)
  if (rows.length === 0) return [fine('old_transactions', `none older than ${OLD}`)]
  return rows.map((row) =>
    found(
      'warn',
      'old_transactions',
      `pid ${row['pid']} (${row['application']}, role ${row['role']}) is in a transaction for ${row['minutes']} min, ${row['state'] ?? 'unknown'}`,
      `Wait until it ends, or end it yourself: select pg_terminate_backend(${row['pid']}).`,
    ),
  )
}

async function preparedTransactions(session: Session): Promise<readonly Finding[]> {
  const rows = await session.rows(sql`
    select gid, extract(epoch from clock_timestamp() - prepared)::bigint / 60 as minutes
    from pg_prepared_xacts
    where database = current_database()
    order by prepared`)
  if (rows.length === 0) return [fine('prepared_transactions', 'none')]
  return rows.map((row) =>
    found(
      'warn',
      'prepared_transactions',
      `${JSON.stringify(row['gid'])} is prepared for ${row['minutes']} min: its locks stay until it's finished`,
      'Finish it with COMMIT PREPARED or ROLLBACK PREPARED.',
    ),
  )
}
