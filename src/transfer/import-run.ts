import type { Session } from '../db/index.js'
import { ConflictError } from '../errors/index.js'
import { sql } from '../sql/index.js'
import { openRun } from '../store/index.js'
import type { ExportHeader } from './export-header.js'

/** How far an import is: what comes next. Committed with what was done. */
export interface ImportCursor {
  readonly phase: 'events' | 'rows' | 'links' | 'sequences'
  /** Of events: the position of the last one. */
  readonly position: string
  /** Of rows and links: the aggregate, and the last stream that is done. */
  readonly aggregate: string | null
  readonly stream: string | null
  /** Counts, as texts: rows by aggregate. */
  readonly events: string
  readonly rows: Readonly<Record<string, string>>
}

export interface ImportRun {
  readonly id: string
  readonly resumed: boolean
  cursor: ImportCursor
}

const START: ImportCursor = {
  phase: 'events',
  position: '0',
  aggregate: null,
  stream: null,
  events: '0',
  rows: {},
}

/** The import that was begun here and has not come to its end, with the export that it's of; null where there is none. */
export async function unfinishedImport(
  session: Session,
): Promise<{ readonly export: string; readonly run: ImportRun } | null> {
  const [found] = await session.rows<Record<'id' | 'export' | 'cursor', string>>(sql`
    select id, params ->> 'export' as export, planned_to::text as cursor
    from eventward.runs
    where command = 'import'
      and state = 'running'
    order by id desc
    limit 1`)
  if (found === undefined) return null
  const run = { id: found.id, resumed: true, cursor: JSON.parse(found.cursor) as ImportCursor }
  return { export: found.export, run }
}

/** Opens the run, within the transaction that registers what the header says. */
export async function beginImport(session: Session, header: ExportHeader, file: string): Promise<ImportRun> {
  const { export: id, takenAt, source, masks } = header
  const { id: run } = await openRun(session, {
    command: 'import',
    schema: null,
    table: null,
    aggregateType: null,
    definitionHash: null,
    params: { export: id, file, takenAt, source, masks },
    upperKey: null,
  })
  await session.execute(sql`
    update eventward.runs
    set planned_to = ${JSON.stringify(START)}::jsonb
    where id = ${run}::bigint`)
  return { id: run, resumed: false, cursor: START }
}

/**
 * Moves the run on, within the transaction of what was done. Locks its row.
 *
 * @throws ConflictError EW_IMPORT_BUSY where another process moved it on, or ended it: what was done here is undone
 */
export async function moveOn(session: Session, run: ImportRun, to: ImportCursor): Promise<void> {
  const counts = { events: to.events, rows: String(sum(Object.values(to.rows))) }
  const moved = await session.execute(sql`
    update eventward.runs
    set planned_to = ${JSON.stringify(to)}::jsonb, counts = ${JSON.stringify(counts)}::jsonb
    where id = ${run.id}::bigint
      and state = 'running'
      and planned_to = ${JSON.stringify(run.cursor)}::jsonb`)
  if (moved === 1) return
  throw new ConflictError('EW_IMPORT_BUSY', 'another process goes on with this import', {
    next: 'Leave it to that one; run it again where that has ended.',
    details: { run: run.id },
  })
}

function sum(counts: readonly string[]): bigint {
  return counts.reduce((total, count) => total + BigInt(count), 0n)
}
