import type pg from 'pg'
import type { TestDatabase } from './database.js'

/**
 * A transaction at work that is younger than all that have ended: a snapshot's xmax is its id or a smaller one. Whoever
 * writes anywhere on the server meanwhile spoils it, then it's tried again.
 */
export async function youngestTransaction(db: TestDatabase, statement: string): Promise<pg.Client> {
  const client = await db.client()
  for (let attempt = 0; attempt < 200; attempt += 1) {
    await client.query('begin')
    await client.query(statement)
    const { rows } = await client.query<{ id: string }>('select pg_current_xact_id() as id')
    const { rows: seen } = await db.admin.query<{ youngest: string }>(
      'select pg_snapshot_xmax(pg_current_snapshot()) <= $1::xid8 as youngest',
      [rows[0]?.id],
    )
    if (seen[0]?.youngest === 't') return client
    await client.query('rollback')
  }
  throw new Error('others write all the time')
}
