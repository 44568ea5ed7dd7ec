import { beforeAll, describe, expect, it } from 'vitest'
import { eventsOfLoad } from '../load/events-of-load.js'
import { type LoadTable, readLoadTables } from '../load/load-table.js'
import { prepareLoad, type RandomLoad, startLoad } from '../load/random-load.js'
import { expectReconciled, readAllRows } from '../load/reconcile.js'
import { ended } from '../nasty/move-all.js'
import { type CliDocument, cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { dumpsAvailable, loadDump as load, type loadDump } from '../support/dump.js'

const SAMPLES: readonly {
  readonly name: string
  readonly dumps: readonly Parameters<typeof loadDump>[1][]
}[] = [
  { name: 'chinook', dumps: ['chinook'] },
  { name: 'world', dumps: ['world'] },
  { name: 'pagila', dumps: ['pagila-schema', 'pagila-data'] },
]
/** All tables are moved; so many of them back and there again, which takes a command each. */
const THERE_AND_BACK = 3
/** EVENTWARD_LOAD_SEED tries another one. */
const SEED = Number(process.env['EVENTWARD_LOAD_SEED'] ?? 51125)

/** What two writers may do to each other at any time, with us or without: the load without us need not have met it. */
const AMONG_WRITERS = ['40001', '40P01']

describe.skipIf(!dumpsAvailable)(
  `real databases under load, by the command line (needs ../shared/data and psql; seed ${SEED})`,
  () => {
    describe.each(SAMPLES)('$name', ({ name, dumps }) => {
      const db = testDatabase({ migrated: false })
      const cli = cliIn(() => db.url)
      let url = ''
      let names: readonly string[] = []
      let tables: readonly LoadTable[] = []
      let usual = new Set(AMONG_WRITERS)

      const run = async (...args: readonly string[]): Promise<CliDocument> => ended(await cli.json(...args))

      beforeAll(async () => {
        // Its dump makes plpgsql, which every database has.
        if (name === 'pagila') await db.admin.query('drop extension plpgsql')
        for (const dump of dumps) await load(db.url, dump)
        const init = await run('init', '--yes')
        names = init.tables.filter(({ supported }) => supported === true).map(({ table }) => table)
        url = await prepareLoad(db.admin, db.url)
        tables = await readLoadTables(db.database, db.admin, names)
      })

      it('reconciles with the ledger of two writers without us', async () => {
        const before = await readAllRows(db.admin, tables)
        const writers = await startLoad({ url, tables, seed: SEED })
        await writers.more(800)
        await writers.stop()
        await expectReconciled(db.admin, tables, before, writers.ledger)
        usual = new Set([...AMONG_WRITERS, ...writers.ledger.refused.keys()])
        expect(writers.ledger.writes.length).toBeGreaterThan(300)
      })

      it('is moved there and back and there again while two writers change every table', async () => {
        await run('migrate', 'up')
        const before = await readAllRows(db.admin, tables)
        const writers = await startLoad({ url, tables, seed: SEED + 1 })
        try {
          await writers.more(50)
          const from = await ticket()
          await run('capture', 'on', '--all')
          const to = await ticket()
          await writers.more(100)
          await run('backfill', '--workers', '2')
          await proven(['sql'], writers)
          await cutover(names, 'advance', 'event_first', writers)
          await proven(['replay'], writers)
          const back = names.slice(0, THERE_AND_BACK)
          await cutover(back, 'rollback', 'dual_write', writers)
          await proven(['sql'], writers)
          await cutover(back, 'advance', 'event_first', writers)
          await writers.stop()
          // Nobody writes any more: what they say must be what is there.
          await proven(['sql', 'replay'])
          await expectReconciled(db.admin, tables, before, writers.ledger)
          const { lost, doubled, recorded } = await eventsOfLoad(db.admin, tables, before, writers.ledger, {
            from,
            to,
          })
          expect({ lost, doubled }).toEqual({ lost: [], doubled: [] })
          expect(recorded).toBeGreaterThan(300)
          expect(writers.blamesUs).toEqual([])
          expect([...writers.ledger.refused.keys()].filter((sqlstate) => !usual.has(sqlstate))).toEqual([])
        } finally {
          await writers.stop()
        }
        // Each of some sixty commands; other files of a run want the processors as well.
      }, 300_000)

      /** These engines find nothing, and see every table. */
      async function proven(engines: readonly ('sql' | 'replay')[], writers?: RandomLoad): Promise<void> {
        for (const engine of engines) {
          const verify = await run('verify', '--engine', engine)
          expect(verify.differences).toEqual([])
          expect(verify.tables.map(({ table, clean }) => ({ table, clean }))).toEqual(
            names.map((table) => ({ table, clean: true })),
          )
        }
        await writers?.more(100)
      }

      async function cutover(
        some: readonly string[],
        way: 'advance' | 'rollback',
        phase: string,
        writers: RandomLoad,
      ): Promise<void> {
        for (const table of some) {
          const { tables: moved } = await run('cutover', table, way, '--confirm', table)
          expect(moved).toMatchObject([{ table, to: phase }])
        }
        await writers.more(100)
      }

      async function ticket(): Promise<bigint> {
        const { rows } = await db.admin.query<{ ticket: string }>(`select nextval('load.ticket') as ticket`)
        return BigInt(rows[0]?.ticket ?? 0)
      }
    })
  },
)
