import { explain, history } from '../../inspect/index.js'
import { type VerifyEngine, verify } from '../../verify/index.js'
import { differenceProblems } from '../expected-differences.js'
import { slideProblems } from '../expected-slide.js'
import { plantCorruption, undoCorruption } from '../plant-corruption.js'
import { readRows } from '../reconcile-load.js'
import { configOf, type DemoContext, type Planned, TABLE } from './step-context.js'

/** A verify of the whole table. */
export interface Proof {
  readonly name: string
  readonly says: string
  readonly engine?: VerifyEngine
  /** Whether the planted corruption must be found. @default false */
  readonly planted?: boolean
  /** Nobody writes: as many rows as there are must have been compared. @default false */
  readonly still?: boolean
}

export function proofStep(
  context: DemoContext,
  { name, says, engine = 'sql', planted = false, still = false }: Proof,
): Planned {
  const { database } = context
  return {
    name,
    command: `eventward verify ${TABLE}${engine === 'sql' ? '' : ` --engine ${engine}`}`,
    says,
    work: async () => {
      const { config, definition } = await configOf(context)
      const { table, differences } = await verify(database, definition, { engine, events: config.events })
      const rows = still ? String((await readRows(database)).size) : null
      return {
        found: { kind: 'verified', table, differences },
        problems: differenceProblems({ table, differences, planted, rows }),
      }
    },
  }
}

/** The histories of the slide's rows, and how well the definition explains the data. */
export function lookSteps(context: DemoContext): readonly Planned[] {
  const { database } = context
  const audit = (id: string, says: string): Planned => ({
    name: `history ${id}`,
    command: `eventward history Subscription ${id}`,
    says,
    work: async () => {
      const { config } = await configOf(context)
      const found = await history(database, config, { aggregate: 'Subscription', id })
      return { found: { kind: 'history', history: found }, problems: slideProblems(found) }
    },
  })
  return [
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
        const { config } = await configOf(context)
        const explained = await explain(database, config, { table: TABLE })
        const problems = explained.rows === '0' ? ['it looked at no rows'] : []
        return { found: { kind: 'explained', explained }, problems }
      },
    },
  ]
}

/** What must never happen, found by both engines, and put right. */
export function corruptionSteps(context: DemoContext): readonly Planned[] {
  const { database, superuserUrl } = context
  return [
    {
      name: 'corrupt',
      command: null,
      says: 'Now what must never happen: one event and one row are changed behind our back.',
      work: async () => ({
        found: { kind: 'planted', what: await plantCorruption(superuserUrl) },
        problems: [],
      }),
    },
    proofStep(context, {
      name: 'find',
      says: 'Both are found, by SQL: the key, the column, both values, and who wrote it last.',
      planted: true,
    }),
    proofStep(context, {
      name: 'find replay',
      says: 'And by the TypeScript fold.',
      engine: 'replay',
      planted: true,
    }),
    {
      name: 'put right',
      command: `eventward verify ${TABLE} --open`,
      says: 'Both are put right. Only what was found is looked at again.',
      work: async () => {
        await undoCorruption(superuserUrl)
        const { config, definition } = await configOf(context)
        const { table, differences } = await verify(database, definition, {
          open: true,
          events: config.events,
        })
        const problems = table.clean ? [] : [`${table.differences} differences are left`]
        return { found: { kind: 'verified', table, differences }, problems }
      },
    },
    proofStep(context, { name: 'verify again', says: 'And the whole table is clean again.' }),
  ]
}
