import { readRowShape } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import { GateError, shellWord } from '../errors/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import type { BackfillJob } from './backfill-job.js'

/** ACCESS SHARE on the table until the transaction ends. It waits for a rewrite, and nothing but DDL waits for it. */
export async function lockTable(session: Session, { model }: Pick<BackfillJob, 'model'>): Promise<void> {
  await session.execute(sql`lock table ${raw(qualified(model.schema, model.table))} in access share mode`)
}

/**
 * As `lockTable`, and sure that the table is still the one that was bound: under the lock no DDL can move it.
 *
 * @throws GateError EW_TABLE_MOVED where columns, key or the table itself have changed since.
 */
export async function lockBoundTable(
  session: Session,
  job: Pick<BackfillJob, 'model' | 'shape' | 'tableName'>,
): Promise<void> {
  await lockTable(session, job)
  const { schema, table, key } = job.model
  if ((await readRowShape(session, schema, table, key)) !== job.shape) throw tableMoved(job.tableName)
}

/** What is said where DDL came between binding and reading. */
export function tableMoved(tableName: string): GateError {
  return new GateError(
    'EW_TABLE_MOVED',
    `${tableName}: its columns or its key were changed since the definition was bound to them; what was done before is kept`,
    {
      next: `Run \`eventward backfill ${shellWord(tableName)}\` again: it binds anew.`,
      details: { table: tableName },
    },
  )
}

/**
 * Until the transaction ends, the planner walks the key's index and nothing else. Without statistics (a table that was
 * never analysed) it would sort all the rest of the table to find the next few thousand keys.
 */
export async function walkIndex(session: Session): Promise<void> {
  const text = ['seqscan', 'bitmapscan', 'sort'].map((way) => `set local enable_${way} = off`).join('; ')
  await session.execute({ text, values: [] })
}
