import { beforeAll, describe, expect, it } from 'vitest'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { KEYED, KEYED_BY_EXTENSION, KEYS_SQL, keyedTables } from './keyed-tables.js'
import { moveAll } from './move-all.js'

describe('keys', () => {
  const db = testDatabase({ migrated: false })
  const cli = cliIn(() => db.url)

  beforeAll(async () => {
    await db.admin.query(`create schema ext; create extension citext schema ext;
      create domain ext.email as ext.citext check (position('@' in value::text) > 0)`)
    await db.admin.query(KEYS_SQL)
    await db.admin.query(keyedTables([...KEYED, ...KEYED_BY_EXTENSION]))
  })

  it('of every type and form name one stream per row, in both directions', async () => {
    const moved = await moveAll(db.admin, cli, ['keys'])
    expect(moved.refused).toEqual({})
    expect(moved.tables).toHaveLength(KEYED.length + KEYED_BY_EXTENSION.length)
  })
})
