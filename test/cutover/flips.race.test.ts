import { describe, expect, it } from 'vitest'
import { advance, rollback } from '../../src/cutover/index.js'
import { verify } from '../../src/verify/index.js'
import { readLoadTables } from '../load/load-table.js'
import { prepareLoad, startLoad } from '../load/random-load.js'
import { expectReconciled, readAllRows } from '../load/reconcile.js'
import { testDatabase } from '../support/database.js'
import { Subscription } from '../support/subscription.js'
import { phaseOf, provenSubscriptions } from './proven-table.js'

const SEED = 5_0010
const FLIPS = 10

describe(`${FLIPS} flips to and fro under a random load (seed ${SEED})`, () => {
  const db = testDatabase()

  it('lose nothing, double nothing, and cost no writer an error or a long wait', async () => {
    await provenSubscriptions(db, 300)
    const url = await prepareLoad(db.admin, db.url)
    const tables = await readLoadTables(db.database, db.admin, ['subscriptions'])
    const before = await readAllRows(db.admin, tables)
    const load = await startLoad({ url, tables, seed: SEED, writers: 3 })
    await load.more(60)

    const results = []
    for (let flip = 0; flip < FLIPS; flip += 1) {
      const step = flip % 2 === 0 ? advance : rollback
      const result = await step(db.database, Subscription, { pauseMs: 200 })
      expect(result, JSON.stringify(result)).toMatchObject({ ok: true, differences: [] })
      results.push(result)
      await load.more(30)
    }
    const seen = load.look()
    await load.stop()

    expect(await phaseOf(db)).toBe('dual_write')
    await expectReconciled(db.admin, tables, before, load.ledger)
    expect(load.blamesUs).toEqual([])
    // Duplicate keys and serialization failures are the load's own.
    for (const code of load.refusals.keys())
      expect(['23505', '40001', '40P01', '23502', '22003', '22008']).toContain(code)
    expect(load.ledger.writes.length).toBeGreaterThan(200)
    for (const { longestWaitMs } of results) expect(longestWaitMs).toBeLessThan(2_000)
    expect(seen.max).toBeLessThan(5_000)
    for (const engine of ['sql', 'replay'] as const) {
      const { table, differences } = await verify(db.database, Subscription, { engine })
      expect(differences, engine).toEqual([])
      expect(table.differences).toBe('0')
    }
    const { rows } = await db.admin.query(`
      select count(*) as n from (
        select version, row_number() over (partition by aggregate_id order by position) as place from public.events
      ) e where version <> place`)
    expect(rows, 'versions in the order of positions').toEqual([{ n: '0' }])
  })
})
