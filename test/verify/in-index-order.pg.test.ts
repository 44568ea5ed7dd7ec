import { describe, expect, it } from 'vitest'
import type { Session } from '../../src/db/index.js'
import { compileStreamBoundary, type Query } from '../../src/sql/index.js'
import { inIndexOrder } from '../../src/verify/in-index-order.js'
import { testDatabase } from '../support/database.js'
import { smallTable } from './small-table.js'

describe('the borders of ranges', () => {
  const db = testDatabase()

  it('are found along the index, not by sorting all that lies behind, where nothing was analysed', async () => {
    const { name } = await smallTable(db.admin, 'long', { id: 'integer', v: 'integer' })
    await db.admin.query(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
      select '${name}', i::text, 1, 'Created', '{}', now() from generate_series(1, 20000) i`)
    const query = compileStreamBoundary(
      { name },
      { schema: 'public', table: 'events' },
      { after: '2', size: 1000 },
    )
    await db.database.session(async (session) => {
      expect(await planOf(session, query), 'what the planner does by itself').toContain('Sort')
      const plan = await inIndexOrder(session, () => planOf(session, query))
      expect(plan).toMatch(/Index (Only )?Scan using events_long_pkey/)
      expect(plan).not.toContain('Sort')
      // Nothing of it is left for what comes next.
      expect(await session.one({ text: 'show enable_sort', values: [] })).toEqual({ enable_sort: 'on' })
    })
  })
})

async function planOf(session: Session, { text, values }: Query): Promise<string> {
  const rows = await session.rows({ text: `explain ${text}`, values })
  return rows.map((row) => Object.values(row)[0]).join('\n')
}
