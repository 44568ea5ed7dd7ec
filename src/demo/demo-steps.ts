import { backfill } from '../backfill/index.js'
import { type LoadedConfig, loadConfig } from '../config/index.js'
import type { Database } from '../db/index.js'
import { GateError } from '../errors/index.js'
import { initialise } from '../init/index.js'
import { explain, history, plan, selectAggregates, status } from '../inspect/index.js'
import { migrateUp } from '../migrate/index.js'
import { type VerifyEngine, verify } from '../verify/index.js'
import { DEMO_ROWS } from './demo-data.js'
import { refineDefinition } from './demo-definition.js'
import type { DemoFound, DemoStep } from './demo-step.js'
import { differenceProblems } from './expected-differences.js'
import { slideProblems } from './expected-slide.js'
import type { LegacyDatabase } from './legacy-database.js'
import { plantCorruption, undoCorruption } from './plant-corruption.js'

/** A step to be done. */
export interface Planned extends Pick<DemoStep, 'name' | 'command' | 'says'> {
  readonly work: () => Promise<{ readonly found: DemoFound; readonly problems: readonly string[] }>
}

export interface DemoContext extends LegacyDatabase {
  /** As the application's role. */
  readonly database: Database
  /** The project's folder. */
  readonly folder: string
  readonly version: string
}

const TABLE = 'subscriptions'

/** The steps of the demo, each by the very code that its command runs. */
export function demoSteps(context: DemoContext): readonly Planned[] {
  const { database, folder, url, superuserUrl } = context
  const load = () => loadConfig(undefined, folder)

  const proof = (name: string, says: string, engine: VerifyEngine, planted: boolean): Planned => ({
    name,
    command: `eventward verify ${TABLE}${engine === 'sql' ? '' : ` --engine ${engine}`}`,
    says,
    work: async () => {
      const config = await load()
      const { table, differences } = await verify(database, definitionOf(config), {
        engine,
        events: config.events,
      })
      return {
        found: { kind: 'verified', table, differences },
        problems: differenceProblems({ table, differences, planted, rows: String(DEMO_ROWS) }),
      }
    },
  })

  const audit = (id: string, says: string): Planned => ({
    name: `history ${id}`,
    command: `eventward history Subscription ${id}`,
    says,
    work: async () => {
      const found = await history(database, await load(), { aggregate: 'Subscription', id })
      return { found: { kind: 'history', history: found }, problems: slideProblems(found) }
    },
  })

  return [
    {
      name: 'legacy',
      command: null,
      says: 'An application with a table of subscriptions, rows 12 and 13 of the slide among them.',
      work: async () => {
        const found = {
          kind: 'legacy',
          version: context.version,
          table: TABLE,
          rows: String(DEMO_ROWS),
        } as const
        return { found, problems: [] }
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
        const result = await migrateUp({ url, events: (await load()).events })
        return { found: { kind: 'migrated', result }, problems: [] }
      },
    },
    {
      name: 'plan',
      command: `eventward plan ${TABLE}`,
      says: 'What to expect. The server refuses any write.',
      work: async () => {
        const tables = await plan(database, await load(), { tables: [TABLE] })
        return { found: { kind: 'planned', tables }, problems: [] }
      },
    },
    {
      name: 'backfill',
      command: `eventward backfill ${TABLE} --workers 2`,
      says: 'Each row becomes the events that explain it; two workers, no row locks.',
      work: async () => {
        const config = await load()
        const table = await backfill(database, definitionOf(config), { workers: 2, events: config.events })
        const whole = table.complete && table.streams === String(DEMO_ROWS)
        const problem = `${table.streams} streams of ${DEMO_ROWS} rows, ${table.complete ? '' : 'not '}complete`
        return { found: { kind: 'backfilled', table }, problems: whole ? [] : [problem] }
      },
    },
    proof('verify', 'Every row equals the fold of its events, as text, by SQL.', 'sql', false),
    proof('verify replay', 'And by the TypeScript fold.', 'replay', false),
    audit('12', 'Row 12 of the slide.'),
    audit(
      '13',
      'Row 13 contradicts itself: unpaid, and yet deactivated. That is kept as a Changed, and nothing is lost.',
    ),
    {
      name: 'explain',
      command: `eventward explain ${TABLE}`,
      says: 'How well the definition explains the data.',
      work: async () => {
        const explained = await explain(database, await load(), { table: TABLE })
        const problems = explained.rows === String(DEMO_ROWS) ? [] : [`it looked at ${explained.rows} rows`]
        return { found: { kind: 'explained', explained }, problems }
      },
    },
    {
      name: 'corrupt',
      command: null,
      says: 'Now what must never happen: one event and one row are changed behind our back.',
      work: async () => ({
        found: { kind: 'planted', what: await plantCorruption(superuserUrl) },
        problems: [],
      }),
    },
    proof(
      'find',
      'Both are found, by SQL: the key, the column, both values, and who wrote it last.',
      'sql',
      true,
    ),
    proof('find replay', 'And by the TypeScript fold.', 'replay', true),
    {
      name: 'put right',
      command: `eventward verify ${TABLE} --open`,
      says: 'Both are put right. Only what was found is looked at again.',
      work: async () => {
        await undoCorruption(superuserUrl)
        const config = await load()
        const { table, differences } = await verify(database, definitionOf(config), {
          open: true,
          events: config.events,
        })
        const problems = table.clean ? [] : [`${table.differences} differences are left`]
        return { found: { kind: 'verified', table, differences }, problems }
      },
    },
    proof('verify again', 'And the whole table is clean again.', 'sql', false),
    {
      name: 'status',
      command: 'eventward status',
      says: 'One line per table.',
      work: async () => {
        const tables = await status(database, await load())
        return { found: { kind: 'status', tables }, problems: [] }
      },
    },
  ]
}

function definitionOf(config: LoadedConfig) {
  const [definition] = selectAggregates(config, [TABLE])
  if (definition !== undefined) return definition
  throw new GateError('EW_DEMO_UNEXPECTED', `init wrote no aggregate for ${TABLE}`, { next: 'Report it.' })
}
