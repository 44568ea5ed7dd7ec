import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bindAggregate } from '../../src/bind/index.js'
import { readTables } from '../../src/catalog/index.js'
import { loadConfig } from '../../src/config/index.js'
import { checkTables, inferDefinitions, writeConfig } from '../../src/init/index.js'
import { testDatabase } from '../support/database.js'
import { dumpsAvailable, loadDump } from '../support/dump.js'

const SAMPLES = [
  { name: 'chinook', dumps: ['chinook'], tables: 11, refused: [] },
  { name: 'world', dumps: ['world'], tables: 3, refused: [] },
  {
    name: 'pagila',
    dumps: ['pagila-schema', 'pagila-data'],
    tables: 14,
    refused: ['payment', ...[1, 2, 3, 4, 5, 6].map((month) => `payment_p2007_0${month}`)],
  },
] as const

describe.skipIf(!dumpsAvailable)('real databases (needs ../shared/data and psql)', () => {
  describe.each(SAMPLES)('$name', ({ name, dumps, tables, refused }) => {
    const db = testDatabase({ migrated: false })

    it('gets a configuration that loads, and whose every definition binds', async () => {
      const url = new URL(db.url)
      // pagila's dump makes plpgsql, which every database has.
      await db.admin.query('drop extension if exists plpgsql')
      for (const dump of dumps) await loadDump(url.href, dump)
      const cwd = await mkdtemp(join(tmpdir(), 'eventward-init-'))
      try {
        await db.database.session(async (session) => {
          const inferred = await inferDefinitions(session, await readTables(session, ['public']))
          await writeConfig(inferred, { cwd })
          const config = await loadConfig(undefined, cwd)
          expect(config.aggregates).toHaveLength(tables)
          for (const definition of config.aggregates) await bindAggregate(session, definition)
          expect(await checkTables(session, ['public'], join(cwd, 'eventward.tables.ts'))).toEqual({
            changes: [],
            unlisted: refused,
          })
        })
        const source = await readFile(join(cwd, 'eventward.config.ts'), 'utf8')
        for (const part of EXPECTED[name]) expect(source).toContain(part)
      } finally {
        await rm(cwd, { recursive: true, force: true })
      }
    })
  })
})

const EXPECTED = {
  chinook: [
    `      set: { InvoiceDate: occurredAt },\n`,
    `    Hired: { set: { HireDate: occurredAt } },\n`,
    `  name: 'PlaylistTrack',\n  table: tables.PlaylistTrack,\n  events: {\n    Created: { creates: true },\n`,
  ],
  world: [`  name: 'Countrylanguage',\n`],
  pagila: [
    `  name: 'Rental',
  table: tables.rental,
  updatedAt: 'last_update',
  // Assumed: the server’s own. In which zone does the application write its times without one?
  timeZone: 'UTC',
  events: {
    Created: {
      creates: true,
      data: ['inventory_id', 'customer_id', 'staff_id'],
      set: { rental_date: occurredAt },
    },
    Returned: { set: { return_date: occurredAt } },
  },
`,
    `      set: { create_date: occurredAt },\n`,
    `// payment has children made with INHERITS`,
  ],
} as const
