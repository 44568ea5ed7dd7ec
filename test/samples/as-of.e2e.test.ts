import { beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/index.js'
import { backfillAll } from '../nasty/move-all.js'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { dumpsAvailable, loadDump } from '../support/dump.js'
import { compareAsOf } from '../timemachine/compare-as-of.js'

describe.skipIf(!dumpsAvailable)('pagila as of a time (needs ../shared/data and psql)', () => {
  const db = testDatabase({ migrated: false })
  const cli = cliIn(() => db.url)

  beforeAll(async () => {
    // Its dump makes plpgsql, which every database has.
    await db.admin.query('drop extension plpgsql')
    for (const dump of ['pagila-schema', 'pagila-data'] as const) await loadDump(db.url, dump)
    await backfillAll(cli, ['public'])
  })

  it('is, in every table, what replaying stream by stream gives', async () => {
    const { document, status } = await cli.json('time-machine', 'on')
    expect(status).toBe(0)
    expect(document.tables.every(({ state }) => state === 'on')).toBe(true)
    const { aggregates } = await loadConfig(undefined, cli.cwd)
    const rows: Record<string, number> = {}
    for (const definition of aggregates) {
      const compared = await compareAsOf(db.database, definition)
      expect([definition.name, compared.differences.slice(0, 3)]).toEqual([definition.name, []])
      expect(compared.times).toBeGreaterThan(1)
      rows[definition.name] = compared.rows
    }
    expect(Object.values(rows).every((count) => count > 0)).toBe(true)
    expect(Object.keys(rows)).toHaveLength(14)
  }, 600_000)

  it('answers a report: rentals that were out on a day', async () => {
    const { rows } = await db.admin.query(`
      select count(*) as out
      from eventward.rental_as_of('2005-07-10 00:00+00') r
      where r.return_date is null or r.return_date > '2005-07-10 00:00+00'`)
    const expected = await db.admin.query(`
      select count(*) as out
      from public.rental r
      where r.rental_date <= '2005-07-10 00:00+00' and (r.return_date is null or r.return_date > '2005-07-10 00:00+00')`)
    expect(rows).toEqual(expected.rows)
  })
})
