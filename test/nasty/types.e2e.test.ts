import { beforeAll, describe, expect, it } from 'vitest'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { BUILT_IN, EXTENSIONS, TYPES_SQL, USER_MADE } from './column-types.js'
import { moveAll } from './move-all.js'
import { typedTables } from './typed-tables.js'

const serverVersion = Number(process.env['EVENTWARD_TEST_PG'] ?? '18')
const known = BUILT_IN.filter(({ since = 0 }) => since <= serverVersion)

describe.each([
  { title: 'built into PostgreSQL', schema: 'types', types: known },
  { title: 'made by users', schema: 'types', types: USER_MADE },
  { title: 'of the extensions that ship with it', schema: 'ext', types: EXTENSIONS },
])('types $title', ({ schema, types }) => {
  const db = testDatabase({ migrated: false })
  const cli = cliIn(() => db.url)

  beforeAll(async () => {
    await db.admin.query(TYPES_SQL)
    if (schema === 'ext') await db.admin.query(EXTENSIONS_SQL)
    await db.admin.query(typedTables(schema, types))
  })

  it('come back as they were, alone and in arrays, by both engines', async () => {
    const moved = await moveAll(db.admin, cli, [schema])
    expect(moved.refused).toEqual({})
    expect(moved.tables).toContain(`${schema}.every_array`)
  })
})

const EXTENSIONS_SQL = `
create schema ext;
create extension citext schema ext;
create extension hstore schema ext;
create extension ltree schema ext;
create extension cube schema ext;
create extension isn schema ext;
create domain ext.email as ext.citext check (position('@' in value::text) > 0);
`
