import { readTables } from '../catalog/index.js'
import type { EventsTable, LoadedConfig } from '../config/index.js'
import type { Database, Session } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { shellWord } from '../errors/index.js'
import { readInstalled } from '../migrate/index.js'
import { type LastBackfill, type LastVerify, lastBackfill, lastVerify, openDifferences } from './last-runs.js'
import { residueShare } from './residue-share.js'
import { selectAggregates } from './select-aggregates.js'

/** Where one table stands. What nobody knows is null, never 0. */
export interface TableStatus {
  readonly table: string
  readonly aggregate: string
  /** Rows are the truth, and nothing is captured. */
  readonly phase: 'legacy'
  readonly capture: 'off'
  readonly reads: 'legacy'
  readonly backfill: LastBackfill | null
  readonly verify: LastVerify | null
  /** Of the streams, what share needed a `Changed`, by a sample; null where there are none. */
  readonly residueShare: number | null
  /** Null where nothing was verified yet. */
  readonly openDifferences: string | null
  readonly next: string
}

/** Says where every table stands. Reads our own bookkeeping and a sample of the events; READ ONLY. */
export function status(
  database: Database,
  config: LoadedConfig,
  tables: readonly string[] = [],
): Promise<readonly TableStatus[]> {
  const chosen = selectAggregates(config, tables)
  return database.session((session) =>
    session.transaction({ readOnly: true }, async () => {
      const { events } = await readInstalled(session)
      const all: TableStatus[] = []
      for (const definition of chosen) all.push(await statusOf(session, definition, events))
      return all
    }),
  )
}

async function statusOf(
  session: Session,
  { name, table, residue }: AggregateDefinition,
  events: EventsTable | null,
): Promise<TableStatus> {
  const [live] = await readTables(session, [table.schema], [table.name])
  const backfill = events === null ? null : await lastBackfill(session, table, live?.rowEstimate ?? null)
  const verify = events === null ? null : await lastVerify(session, table)
  const open = events === null || verify === null ? null : await openDifferences(session, table)
  const share =
    events === null || backfill === null ? null : await residueShare(session, events, { name, residue })
  const known = { backfill, verify, openDifferences: open }
  return {
    table: tableName(table),
    aggregate: name,
    phase: 'legacy',
    capture: 'off',
    reads: 'legacy',
    ...known,
    residueShare: share,
    next: nextStep(tableName(table), events !== null, live !== undefined, known),
  }
}

function nextStep(
  table: string,
  migrated: boolean,
  exists: boolean,
  { backfill, verify, openDifferences: open }: Pick<TableStatus, 'backfill' | 'verify' | 'openDifferences'>,
): string {
  if (!exists) return 'eventward generate'
  if (!migrated) return 'eventward migrate up'
  if (backfill === null || !backfill.complete) return `eventward backfill ${shellWord(table)}`
  // A verify from before the last backfill proved other events.
  const proven = verify?.clean === true && BigInt(verify.run) > BigInt(backfill.run)
  if (!proven) return `eventward verify ${shellWord(table)}`
  return open !== '0'
    ? `eventward verify ${shellWord(table)} --open`
    : `eventward explain ${shellWord(table)}`
}
