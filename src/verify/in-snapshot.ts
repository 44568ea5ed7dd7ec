import type { Session } from '../db/index.js'
import { tableName } from '../definition/index.js'
import { qualified, raw, sql, type VerifySource } from '../sql/index.js'
import { readTableState, verifyMoved } from './table-state.js'

/** What a verify reads, and what the table was when the model was bound to it: see `readTableState`. */
export interface VerifiedTable extends VerifySource {
  readonly state: string
}

/**
 * Runs `work` in a READ ONLY transaction under ACCESS SHARE of the legacy table, taken before the statement's snapshot:
 * a snapshot older than someone's rewrite of the table would see it empty. READ COMMITTED, so each statement has a
 * snapshot of its own: what must agree stands in one. Under the lock no DDL can move the table; one that came before
 * it would make the ranges a proof of two different tables.
 *
 * @throws GateError EW_VERIFY_MOVED where DDL has moved the table since the model was bound.
 */
export function inSnapshot<T>(
  session: Session,
  { model, state }: VerifiedTable,
  work: () => Promise<T>,
): Promise<T> {
  return session.transaction({ readOnly: true }, async () => {
    await session.execute(sql`lock table ${raw(qualified(model.schema, model.table))} in access share mode`)
    if ((await readTableState(session, model)) !== state) {
      throw verifyMoved(
        tableName({ schema: model.schema, name: model.table }),
        'DDL has changed it, or written it anew, or that was adopted,',
      )
    }
    return work()
  })
}
