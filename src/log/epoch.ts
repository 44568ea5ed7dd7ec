import { type Query, sql } from '../sql/index.js'
import type { Statements } from './statements.js'

/** SQL of the cluster and database whose transaction ids a snapshot speaks of: after a restore elsewhere they start over. */
export const EPOCH: Query = sql`(
  select c.system_identifier::text || '/' || d.oid::text
  from pg_catalog.pg_control_system() c, pg_catalog.pg_database d
  where d.datname = pg_catalog.current_database()
)`

/** The cluster and database of a connection. */
export async function presentEpoch(connection: Statements): Promise<string> {
  const [answer] = await connection.run([sql`select ${EPOCH} as epoch`])
  return answer?.rows[0]?.['epoch'] ?? ''
}
