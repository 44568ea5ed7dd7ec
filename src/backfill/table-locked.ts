import type { Session } from '../db/index.js'
import { DatabaseError, shellWord } from '../errors/index.js'
import { sql } from '../sql/index.js'
import type { BackfillJob } from './backfill-job.js'

/**
 * Says that the table stays locked, and names who holds or wants it.
 *
 * @param run the run that gave up; left out where none was opened.
 */
export async function tableLocked(
  session: Session,
  { model, tableName, run }: Pick<BackfillJob, 'model' | 'tableName'> & { readonly run?: string },
  cause: unknown,
): Promise<DatabaseError> {
  const holders = await session.rows<{ who: string }>(sql`
    select format('pid %s (%s, since %s)', a.pid, coalesce(nullif(a.application_name, ''), a.usename, '?'),
      to_char(clock_timestamp() - a.xact_start, 'HH24:MI:SS')) as who
    from pg_locks l
    join pg_class c on c.oid = l.relation
    join pg_namespace n on n.oid = c.relnamespace
    join pg_stat_activity a on a.pid = l.pid
    where n.nspname = ${model.schema}::text
      and c.relname = ${model.table}::text
      and l.mode = 'AccessExclusiveLock'`)
  const who = holders.map((holder) => holder.who).join(', ')
  const gaveUp = run === undefined ? 'no run was begun' : `run ${run} gave up, what it did is kept`
  return new DatabaseError(
    'EW_TABLE_LOCKED',
    `${tableName}: stays locked${who === '' ? '' : ` by ${who}`}: ${gaveUp}`,
    {
      next: `Run \`eventward backfill ${shellWord(tableName)}\` again once that has ended: it goes on from there.`,
      details: { table: tableName, ...(run === undefined ? {} : { run }) },
      cause,
    },
  )
}
