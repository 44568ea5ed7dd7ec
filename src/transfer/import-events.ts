import type { Readable } from 'node:stream'
import type { Database, Session } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import type { EventsTable } from '../migrate/index.js'
import { sql } from '../sql/index.js'
import { requireEventsTable } from '../store/index.js'
import { type PartialFile, readWhole } from './export-file.js'
import type { ExportHeader } from './export-header.js'
import { beginImport, begunImport, type ImportRun } from './import-run.js'
import { takeSteps } from './import-steps.js'
import { type ImportTarget, importTargets, refuseFilled, refuseTriggers } from './import-target.js'
import { importedModel, registerHeader } from './register-header.js'
import { spooled } from './spool.js'
import type { TableOrder } from './table-order.js'
import { fillingOrder } from './table-references.js'

export interface ImportOptions {
  /** A file that `exportEvents` has written to its end; or such a stream, which is kept in a file meanwhile. */
  readonly from: string | Readable
  /** Where the configuration says that events are; checked against the database. */
  readonly events?: EventsTable
  /** Lets the tables' own triggers and rules act on what is imported. @default false */
  readonly allowTriggers?: boolean
  /** Events of one transaction. @default 2000 appended, 10000 folded */
  readonly pageSize?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ImportProgress) => void
}

/** Counts are texts. */
export interface ImportProgress {
  /** What is being done: events are appended, rows made of them, references set. */
  readonly step: 'events' | 'rows' | 'links'
  /** The table of rows; null of events. */
  readonly table: string | null
  readonly done: string
  readonly total: string
}

export interface ImportedTable {
  readonly table: string
  readonly aggregate: string
  readonly rows: string
}

export interface ImportResult {
  readonly export: string
  readonly run: string
  readonly events: string
  readonly tables: readonly ImportedTable[]
  /** Where it was exported, and what was masked there. */
  readonly source: ExportHeader['source']
  readonly masks: ExportHeader['masks']
  /** Whether an earlier process had begun it. */
  readonly resumed: boolean
  readonly seconds: number
  /** Of this process: events appended and folded. */
  readonly eventsPerSecond: number | null
}

/**
 * Appends the events of an export to the log of an empty database and makes the rows of its tables of them, in the order
 * of foreign keys. The file is read to its end before anything is changed. Killed at any moment it goes on, with the same
 * file, where it was; run once more after its end it changes nothing.
 *
 * @throws UsageError EW_EXPORT_UNREADABLE, EW_IMPORT_PARTIAL, EW_IMPORT_AGGREGATE, EW_IMPORT_TABLE, EW_IMPORT_DEFINITION,
 * EW_IMPORT_SHAPE, EW_IMPORT_CIRCLE; GateError EW_IMPORT_PRODUCTION, EW_IMPORT_CAPTURED, EW_IMPORT_NOT_EMPTY,
 * EW_IMPORT_TRIGGERS, EW_IMPORT_STREAM, EW_IMPORT_CONSTRAINT; ConflictError EW_IMPORT_OTHER, EW_IMPORT_BUSY; StoppedError
 */
export async function importEvents(
  database: Database,
  definitions: readonly AggregateDefinition[],
  options: ImportOptions,
): Promise<ImportResult> {
  const { path, forget } = await spooled(options.from)
  try {
    const file = await readWhole(path)
    if (file.header.since !== null)
      throw new UsageError(
        'EW_IMPORT_PARTIAL',
        'the file goes on from an earlier export: it has no whole streams',
        {
          next: 'Export without --since.',
        },
      )
    return await database.session((session) => imported(session, definitions, { path, file, options }))
  } finally {
    await forget()
  }
}

interface Work {
  readonly path: string
  readonly file: PartialFile
  readonly options: ImportOptions
}

async function imported(
  session: Session,
  definitions: readonly AggregateDefinition[],
  { path, file, options }: Work,
): Promise<ImportResult> {
  const started = performance.now()
  const { header } = file
  const events = await requireEventsTable(session, options.events)
  const { run, targets, order } = await begin(session, definitions, { events, path, file, options })
  const before = run.cursor.phase === 'events' ? Number(run.cursor.events) : file.events
  if (run.open) await takeSteps({ session, events, run, targets, order, path, total: file.events, options })
  const seconds = (performance.now() - started) / 1000
  return {
    export: header.export,
    run: run.id,
    events: run.cursor.events,
    tables: targets.map(({ definition: { name, table } }) => ({
      table: tableName(table),
      aggregate: name,
      rows: run.cursor.rows[name] ?? '0',
    })),
    source: header.source,
    masks: header.masks,
    resumed: run.resumed,
    seconds,
    eventsPerSecond: file.events === before ? null : Math.round((file.events - before) / seconds),
  }
}

/** All that may be refused, and then the first trace of it, in one transaction. */
async function begin(
  session: Session,
  definitions: readonly AggregateDefinition[],
  { events, path, file: { header }, options }: Work & { readonly events: EventsTable },
): Promise<{
  readonly run: ImportRun
  readonly targets: readonly ImportTarget[]
  readonly order: TableOrder
}> {
  return session.transaction({}, async () => {
    // Two that begin at once: the second one finds what the first has begun.
    await session.rows(sql`select pg_advisory_xact_lock(hashtextextended('eventward import', 0))`)
    const begun = await begunImport(session, header)
    const targets = await importTargets(session, definitions, header.aggregates)
    const order = await fillingOrder(session, targets)
    if (begun?.open !== false && options.allowTriggers !== true) await refuseTriggers(session, targets)
    if (begun !== null) return { run: begun, targets, order }
    await refuseFilled(session, events, targets)
    await registerHeader(session, targets)
    const tables = new Set(targets.map(({ definition }) => tableName(definition.table)))
    // Rows that a definition looks up may be among those that are yet to come.
    for (const { definition } of targets)
      if (!looksUp(definition, tables)) await importedModel(session, definition)
    return { run: await beginImport(session, header, path), targets, order }
  })
}

function looksUp(definition: AggregateDefinition, tables: ReadonlySet<string>): boolean {
  return definition.events.some(({ set }) =>
    set.some((assignment) => assignment.kind === 'lookup' && tables.has(tableName(assignment.table))),
  )
}
