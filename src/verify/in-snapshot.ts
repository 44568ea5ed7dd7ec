import type { Session } from '../db/index.js'
import type { BoundModel } from '../definition/index.js'
import { qualified, raw, sql } from '../sql/index.js'

/**
 * Runs `work` in a READ ONLY transaction under ACCESS SHARE of the legacy table, taken before the statement's snapshot:
 * a snapshot older than someone's rewrite of the table would see it empty. READ COMMITTED, so each statement has a
 * snapshot of its own: what must agree stands in one. (COPY needs the lock most: it takes its snapshot, then waits.)
 */
export function inSnapshot<T>(session: Session, model: BoundModel, work: () => Promise<T>): Promise<T> {
  return session.transaction({ readOnly: true }, async () => {
    await session.execute(sql`lock table ${raw(qualified(model.schema, model.table))} in access share mode`)
    return work()
  })
}
