import { type CatalogTable, type UnsupportedReason, unsupportedReasons } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import { tableName } from '../definition/index.js'
import { sql } from '../sql/index.js'
import { inferAggregate } from './infer-aggregate.js'
import type { InferredAggregate } from './inferred.js'
import { readStatuses } from './read-statuses.js'
import { uniqueNames } from './unique-names.js'
import { aggregateName } from './words.js'

/** What `init` says about one table; the form of its `--json` document. */
export interface InferredTable {
  /** As the command line names it: `rental`, `app.orders`. */
  readonly table: string
  readonly supported: boolean
  readonly reasons: readonly UnsupportedReason[]
  /** The planner's estimate, or null where the table was never analysed. */
  readonly rows: string | null
  /** Names of the events inferred. */
  readonly events: readonly string[]
}

export interface InferredTables {
  readonly tables: readonly InferredTable[]
  readonly aggregates: readonly InferredAggregate[]
  /** The tables of the aggregates, in the same order. */
  readonly supported: readonly CatalogTable[]
}

/**
 * Infers a definition for each table that can be moved. Reads the tables' status columns, each in a READ ONLY
 * transaction of its own (ACCESS SHARE); writes nothing.
 */
export async function inferDefinitions(
  session: Session,
  tables: readonly CatalogTable[],
): Promise<InferredTables> {
  const zone = await serverZone(session)
  const names = aggregateNames(tables)
  const aggregates: InferredAggregate[] = []
  const supported: CatalogTable[] = []
  const report: InferredTable[] = []
  for (const table of tables) {
    const reasons = unsupportedReasons(table)
    const events: string[] = []
    if (reasons.length === 0) {
      const name = names.get(table) ?? table.name
      const statuses = await readStatuses(session, table)
      const aggregate = inferAggregate(table, { name, statuses, timeZone: zone })
      aggregates.push(aggregate)
      supported.push(table)
      events.push(...aggregate.events.map(({ type }) => type))
    }
    const supports = reasons.length === 0
    report.push({ table: tableName(table), supported: supports, reasons, rows: table.rowEstimate, events })
  }
  return { tables: report, aggregates, supported }
}

function aggregateNames(tables: readonly CatalogTable[]): ReadonlyMap<CatalogTable, string> {
  const supported = tables.filter((table) => unsupportedReasons(table).length === 0)
  return uniqueNames(supported, ({ name }) => aggregateName(name))
}

/** The zone that the server was set up with is the best guess for what its columns without one mean. */
async function serverZone(session: Session): Promise<string> {
  const { zone } = await session.one<{ readonly zone: string | null }>(
    sql`select reset_val as zone from pg_settings where name = 'TimeZone'`,
  )
  return zone === null || /^(Etc\/)?(UTC|UCT|GMT|Zulu)$/.test(zone) ? 'UTC' : zone
}
