import { DatabaseError } from '../errors/index.js'
import { sql } from '../sql/index.js'
import type { BackfillJob } from './backfill-job.js'

/** Says that the table stays locked, and names who holds or wants it. */
export async function tableLocked(job: BackfillJob, cause: unknown): Promise<DatabaseError> {
  const { model, tableName, run, database } = job
  const holders = await database.session((session) =>
    session.rows<{ who: string }>(sql`
      select format('pid %s (%s, since %s)', a.pid, coalesce(nullif(a.application_name, ''), a.usename, '?'),
        to_char(clock_timestamp() - a.xact_start, 'HH24:MI:SS')) as who
      from pg_locks l
      join pg_class c on c.oid = l.relation
      join pg_namespace n on n.oid = c.relnamespace
      join pg_stat_activity a on a.pid = l.pid
      where n.nspname = ${model.schema}::text
        and c.relname = ${model.table}::text
        and l.mode = 'AccessExclusiveLock'`),
  )
  const who = holders.map((holder) => holder.who).join(', ')
  return new DatabaseError(
    'EW_TABLE_LOCKED',
    `${tableName}: stays locked${who === '' ? '' : ` by ${who}`}: run ${run.id} gave up, what it did is kept`,
    {
      next: `Run \`eventward backfill ${tableName}\` again once that has ended: it goes on from there.`,
      details: { table: tableName, run: run.id },
      cause,
    },
  )
}
