import { beforeAll, describe, expect, it } from 'vitest'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { moveAll } from './move-all.js'
import { REFUSED, REFUSED_SQL, SHAPES_18_SQL, SHAPES_SQL } from './shapes.js'

const SCHEMAS = ['public', 'app', 'Shop "No. 1" é', 'select', 'refused']

describe('tables of every kind', () => {
  const db = testDatabase({ migrated: false })
  const cli = cliIn(() => db.url)

  beforeAll(async () => {
    await db.admin.query(SHAPES_SQL)
    await db.admin.query(REFUSED_SQL)
    if (process.env['EVENTWARD_TEST_PG'] !== '15') await db.admin.query(SHAPES_18_SQL)
  })

  it('are moved and proven, or refused with a reason', async () => {
    const moved = await moveAll(db.admin, cli, SCHEMAS)
    expect(moved.refused).toEqual(
      Object.fromEntries(Object.entries(REFUSED).map(([table, code]) => [table, [code]])),
    )
    expect(moved.tables).toContain('app.wide')
  })
})
