import type { Session } from '../db/index.js'
import { ConflictError } from '../errors/index.js'
import { sql } from '../sql/index.js'
import { openRun } from '../store/index.js'
import type { ExportHeader } from './export-header.js'

/** How far an import is: what comes next. Committed with what was done. */
export interface ImportCursor {
  readonly phase: 'events' | 'rows' | 'links' | 'sequences'
  /** Of events: the position of the last one, in the file. */
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
  /** False once it has come to its end. */
  readonly open: boolean
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

/**
 * The import of this export that was begun here, whether it has ended or not; null where there is none.
 *
 * @throws ConflictError EW_IMPORT_OTHER where one of another export is unfinished
 */
export async function begunImport(session: Session, header: ExportHeader): Promise<ImportRun | null> {
  const runs = await session.rows<
    Record<'id' | 'state' | 'cursor', string> & { readonly export: string }
  >(sql`
    select id, state, params ->> 'export' as export, planned_to::text as cursor
    from eventward.runs
    where command = 'import'
      and (state = 'running' or params ->> 'export' = ${header.export}::text)
    order by id desc`)
  const found = runs.find((run) => run.export === header.export)
  if (found !== undefined) {
    const cursor = JSON.parse(found.cursor) as ImportCursor
    return { id: found.id, open: found.state === 'running', resumed: true, cursor }
  }
  const [other] = runs
  if (other === undefined) return null
  throw new ConflictError(
    'EW_IMPORT_OTHER',
    `the import of another export (run ${other.id}) is unfinished here`,
    {
      next: 'End that one with its file, or begin with a new database.',
      details: { run: other.id },
    },
  )
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
  return { id: run, open: true, resumed: false, cursor: START }
}

/**
 * Takes the run for the rest of the caller's transaction: call it before what the cursor will say is done. Locks its row.
 *
 * @throws ConflictError EW_IMPORT_BUSY where another process moved it on, or ended it
 */
export async function holdRun(session: Session, run: ImportRun): Promise<void> {
  const [held] = await session.rows(sql`
    select id
    from eventward.runs
    where id = ${run.id}::bigint
      and state = 'running'
      and planned_to = ${JSON.stringify(run.cursor)}::jsonb
    for update`)
  if (held !== undefined) return
  throw new ConflictError('EW_IMPORT_BUSY', 'another process goes on with this import', {
    next: 'Leave it to that one; run it again where that has ended.',
    details: { run: run.id },
  })
}

/** Moves a run on that is held. */
export async function moveOn(session: Session, run: ImportRun, to: ImportCursor): Promise<void> {
  const rows = Object.values(to.rows).reduce((total, count) => total + BigInt(count), 0n)
  await session.execute(sql`
    update eventward.runs
    set planned_to = ${JSON.stringify(to)}::jsonb,
      counts = ${JSON.stringify({ events: to.events, rows: String(rows) })}::jsonb
    where id = ${run.id}::bigint`)
}
