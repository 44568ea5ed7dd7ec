import { setTimeout as sleep } from 'node:timers/promises'
import { initialise } from '../../init/index.js'
import { plan } from '../../inspect/index.js'
import { migrateUp } from '../../migrate/index.js'
import { DEMO_ROWS } from '../demo-data.js'
import { refineDefinition } from '../demo-definition.js'
import { reconcileRows } from '../reconcile-load.js'
import { ledgerFound, ledgerProblems } from './ledger-step.js'
import { configOf, type DemoContext, type Planned, TABLE } from './step-context.js'

/** How long the writers go on before there is anything of ours, in ms: what they see then is what we're measured by. */
const WITHOUT_US_MS = 2_500

/** The application as it is, and all that comes before its table is touched. */
export function legacySteps(context: DemoContext): readonly Planned[] {
  const { database, folder, load, url, before } = context
  return [
    {
      name: 'legacy',
      command: null,
      says: 'An application with a table of subscriptions, rows 12 and 13 of the slide among them.',
      work: async () => {
        const rows = String(DEMO_ROWS)
        const problems = before.size === DEMO_ROWS ? [] : [`the table has ${before.size} rows`]
        return { found: { kind: 'legacy', version: context.version, table: TABLE, rows }, problems }
      },
    },
    {
      name: 'load',
      command: null,
      says: 'Four writers of plain SQL change it, each keeps a ledger. First without us: rows are what the ledger says.',
      work: async () => {
        await load.run()
        await sleep(WITHOUT_US_MS, undefined, { signal: context.signal })
        await load.pause()
        const told = await load.ledger()
        const reconciled = await reconcileRows(database, before, told.writes)
        await load.run()
        return { found: ledgerFound(told, reconciled), problems: ledgerProblems(told, reconciled) }
      },
    },
    {
      name: 'init',
      command: 'eventward init',
      says: 'Definitions are inferred from the catalog. One edit: the Stripe key comes with Activated.',
      work: async () => {
        await initialise(database, { cwd: folder })
        return { found: { kind: 'definition', ...(await refineDefinition(folder)) }, problems: [] }
      },
    },
    {
      name: 'migrate',
      command: 'eventward migrate up',
      says: 'The schema eventward and the events table, append-only by the server itself.',
      work: async () => {
        const { config } = await configOf(context)
        const result = await migrateUp({ url, events: config.events })
        return { found: { kind: 'migrated', result }, problems: [] }
      },
    },
    {
      name: 'plan',
      command: `eventward plan ${TABLE}`,
      says: 'What to expect. The server refuses any write.',
      work: async () => {
        const { config } = await configOf(context)
        return {
          found: { kind: 'planned', tables: await plan(database, config, { tables: [TABLE] }) },
          problems: [],
        }
      },
    },
  ]
}
