import { type CaptureStatus, captureStatus } from '../capture/index.js'
import {
  type CatalogTable,
  readTables,
  type UnsupportedReason,
  unsupportedReasons,
} from '../catalog/index.js'
import type { EventsTable, LoadedConfig } from '../config/index.js'
import type { Database, Session } from '../db/index.js'
import { type AggregateDefinition, type BoundModel, tableName } from '../definition/index.js'
import { shellWord } from '../errors/index.js'
import { readInstalled, readOwnTables } from '../migrate/index.js'
import { bindStored } from './bind-stored.js'
import { captureWarnings } from './capture-warnings.js'
import { type Expectation, expectEvents } from './expect-events.js'
import { planWarnings } from './plan-warnings.js'
import { selectAggregates } from './select-aggregates.js'

/** What to expect of one table's move. Counts and sizes are texts. */
export interface PlannedTable {
  readonly table: string
  /** The aggregate that covers it, or null. */
  readonly aggregate: string | null
  readonly supported: boolean
  readonly reasons: readonly UnsupportedReason[]
  readonly rows: string | null
  /** Events that a backfill would write; null for a table without an aggregate. */
  readonly events: string | null
  /** True where rows and events are guesses from a sample. */
  readonly estimate: boolean
  readonly chunks: string | null
  /** What the events are expected to take, with their indexes. */
  readonly diskBytes: string | null
  /** A server does not tell it. */
  readonly freeDiskBytes: null
  /** Locks that a move takes on it, and for how long. */
  readonly locks: readonly string[]
  readonly warnings: readonly string[]
  readonly next: string
}

export interface PlanOptions {
  readonly tables?: readonly string[]
  /** Rows of a backfill's chunk. @default 5000 */
  readonly chunkRows?: number
}

/** What a backfill takes where it is told nothing else. */
const CHUNK_ROWS = 5_000

/**
 * Says what a move would bring, table by table; with no tables named also those that no aggregate covers. The server
 * enforces that nothing is written: a READ ONLY transaction for each table. Reads a sample of the rows; ACCESS SHARE.
 */
export function plan(
  database: Database,
  config: LoadedConfig,
  options: PlanOptions,
): Promise<readonly PlannedTable[]> {
  const named = options.tables ?? []
  const chosen = selectAggregates(config, named)
  return database.session(async (session) => {
    const { events } = await session.transaction({ readOnly: true }, readInstalled)
    const planned: PlannedTable[] = []
    for (const definition of chosen) {
      planned.push(
        await session.transaction({ readOnly: true }, () =>
          planOne(session, definition, { events, options }),
        ),
      )
    }
    if (named.length > 0) return planned
    const uncovered = await session.transaction({ readOnly: true }, () => uncoveredTables(session, config))
    return [...planned, ...uncovered]
  })
}

async function planOne(
  session: Session,
  definition: AggregateDefinition,
  { events, options }: { readonly events: EventsTable | null; readonly options: PlanOptions },
): Promise<PlannedTable> {
  const refusal = await unsupported(session, definition)
  if (refusal !== null) return refusal
  const { model, table } = await bindStored(session, definition)
  const expected = await expectEvents(session, model, table, events)
  const capture = await captureStatus(session, definition)
  const name = tableName(table)
  return {
    table: name,
    aggregate: model.name,
    supported: true,
    reasons: [],
    ...expected,
    chunks: chunksOf(expected.rows, options.chunkRows ?? CHUNK_ROWS),
    diskBytes: diskOf(expected, table),
    freeDiskBytes: null,
    locks: LOCKS,
    warnings: [
      ...planWarnings(model, table, expected),
      ...(await captureWarnings(session, table, expected.rows)),
    ],
    next: nextOf(model, events, { expected, capture }),
  }
}

const LOCKS = [
  'backfill, verify: ACCESS SHARE for less than half a second at a time: it waits for, and blocks, ALTER TABLE and the like only',
  'verify --repair alone: each row that differs, updated to itself (its triggers run); SHARE ROW EXCLUSIVE for milliseconds where a stream has no row',
  'capture on, cutover: SHARE ROW EXCLUSIVE for some ms, asked for in tries of 0.4 s: writers wait, readers do not',
  'capture off, backfill --restart: ACCESS EXCLUSIVE for some ms, likewise: readers and writers wait',
]

/** A table that can't be moved is an answer here, not an error. */
async function unsupported(
  session: Session,
  { name, table }: AggregateDefinition,
): Promise<PlannedTable | null> {
  const [live] = await readTables(session, [table.schema], [table.name])
  if (live === undefined) return null // binding says it better
  const reasons = unsupportedReasons(live)
  return reasons.length === 0 ? null : { ...notPlanned(live, reasons), aggregate: name }
}

/** What the configuration leaves out; our own tables and the partitions of others aside. */
async function uncoveredTables(session: Session, config: LoadedConfig): Promise<readonly PlannedTable[]> {
  const covered = new Set(config.aggregates.map(({ table }) => tableName(table)))
  const live = await readTables(session, config.schemas)
  const ours = await readOwnTables(session)
  return live
    .filter((table) => !covered.has(tableName(table)) && !ours.has(table.oid) && table.kind !== 'partition')
    .map((table) => notPlanned(table, unsupportedReasons(table)))
}

function notPlanned(table: CatalogTable, reasons: readonly UnsupportedReason[]): PlannedTable {
  const [reason] = reasons
  return {
    table: tableName(table),
    aggregate: null,
    supported: reasons.length === 0,
    reasons,
    rows: table.rowEstimate,
    events: null,
    estimate: true,
    chunks: null,
    diskBytes: null,
    freeDiskBytes: null,
    locks: [],
    warnings: [],
    next: reason?.next ?? 'No aggregate covers it: define one, or leave it where it is.',
  }
}

function chunksOf(rows: string | null, size: number): string | null {
  return rows === null ? null : String(Math.ceil(Number(rows) / size))
}

/**
 * Bytes that an event takes beside the data that it carries: header, the eleven columns, backfill's metadata, and its
 * entries in two indexes. Measured on the seed's table.
 */
const BYTES_PER_EVENT = 330

/** The columns' own bytes are carried once, as JSON with their names. */
function diskOf({ rows, events }: Expectation, table: CatalogTable): string | null {
  if (rows === null || events === null) return null
  return String(Math.round(Number(events) * BYTES_PER_EVENT + Number(table.bytes)))
}

function nextOf(
  model: BoundModel,
  events: EventsTable | null,
  { expected, capture }: { readonly expected: Expectation; readonly capture: CaptureStatus },
): string {
  const name = tableName({ schema: model.schema, name: model.table })
  if (events === null) return 'eventward migrate up'
  if (expected.events === '0') return `eventward verify ${shellWord(name)}`
  return capture.capture === 'on'
    ? `eventward backfill ${shellWord(name)}`
    : `eventward capture on ${shellWord(name)}`
}
