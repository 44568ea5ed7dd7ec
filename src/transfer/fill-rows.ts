import { type Session, sqlstateOf } from '../db/index.js'
import { type BoundModel, tableName } from '../definition/index.js'
import { EventwardError, GateError, shellWord } from '../errors/index.js'
import { eventsWithCode, StreamFolder, slotFolder } from '../fold/index.js'
import type { EventsTable } from '../migrate/index.js'
import {
  compileFillRows,
  compileLinkRows,
  compileStreamBoundary,
  foldedRowsSql,
  givenRowsSql,
  localTimeSql,
  type Query,
  qualified,
  raw,
  type StreamRange,
  sql,
  streamRangeSql,
  type TypedKey,
} from '../sql/index.js'
import { readCapture } from '../store/index.js'
import { refuseStopped } from './append-lines.js'
import { holdRun, type ImportCursor, type ImportRun, moveOn } from './import-run.js'

export interface FillInput {
  readonly events: EventsTable
  readonly run: ImportRun
  readonly model: BoundModel
  readonly key: TypedKey
  /** Columns that are NULL first, and set once all rows are there. */
  readonly later: readonly string[]
  /** What the cursor says after the last range, in its transaction. */
  readonly next: Pick<ImportCursor, 'phase' | 'aggregate'>
  /** Events of one transaction. */
  readonly pageEvents: number
  readonly signal: AbortSignal | undefined
  /** With the streams of a range. */
  readonly onMoved: (streams: string) => void
}

/**
 * Makes the rows of an aggregate of its events, or sets the columns that waited for others, a range of streams a
 * transaction, on from where the cursor is. Takes ROW EXCLUSIVE on the table.
 *
 * @throws GateError EW_IMPORT_CAPTURED, EW_IMPORT_STREAM, EW_IMPORT_CONSTRAINT
 */
export async function fillRows(session: Session, input: FillInput): Promise<void> {
  const { run, model } = input
  for (let more = true; more; ) {
    refuseStopped(input.signal)
    const { to, streams } = await session
      .transaction({}, async () => {
        await holdRun(session, run)
        await refuseCaptured(session, model)
        // Where a partition was never analysed, each range would be a scan and a sort of all events.
        await session.execute({
          text: 'set local enable_seqscan = off; set local enable_bitmapscan = off; set local enable_sort = off',
          values: [],
        })
        const range = await nextRange(session, input)
        const rows = await rowsOf(session, input, range)
        const wrote = await written(session, input, rows)
        const last = range.upTo === null
        const to = { ...run.cursor, rows: wrote.rows, ...(last ? input.next : {}), stream: range.upTo }
        await moveOn(session, run, to)
        return { to, streams: wrote.streams }
      })
      .catch((error: unknown) => {
        throw constraintError(error, model)
      })
    run.cursor = to
    input.onMoved(streams)
    more = to.stream !== null
  }
}

type Range = Extract<StreamRange, { readonly after: string | null }>

async function nextRange(session: Session, { events, model, run, pageEvents }: FillInput): Promise<Range> {
  const after = run.cursor.stream
  const { boundary } = await session.one<{ boundary: string | null }>(
    compileStreamBoundary(model, events, { after, size: pageEvents }),
  )
  return { after, upTo: boundary }
}

/** Where code says what an event does, no SQL knows it. */
async function rowsOf(session: Session, { events, model }: FillInput, range: Range): Promise<Query> {
  if (eventsWithCode(model).length === 0) return foldedRowsSql(model, events, streamRangeSql(range))
  return givenRowsSql(model, await foldedHere(session, { events, model, range }))
}

async function written(
  session: Session,
  { run: { cursor }, model, key, later }: FillInput,
  rows: Query,
): Promise<{ readonly rows: ImportCursor['rows']; readonly streams: string }> {
  if (cursor.phase === 'links') {
    await session.execute({
      text: 'set local enable_hashjoin = off; set local enable_mergejoin = off',
      values: [],
    })
    const linked = await session.execute(compileLinkRows(model, key, rows, later))
    return { rows: cursor.rows, streams: String(linked) }
  }
  const done = await session.one<{ streams: string; rows: string; bad: string | null }>(
    compileFillRows(model, rows, later),
  )
  if (done.bad !== null) throw badStream(model, ...(JSON.parse(done.bad) as [string, string]))
  const sum = BigInt(cursor.rows[model.name] ?? '0') + BigInt(done.rows)
  return { rows: { ...cursor.rows, [model.name]: String(sum) }, streams: done.streams }
}

/** Folds a range's streams by the code of the definition: a JSON array of [id, text or null, ...], of live ones. */
async function foldedHere(
  session: Session,
  {
    events,
    model,
    range,
  }: { readonly events: EventsTable; readonly model: BoundModel; readonly range: Range },
): Promise<string> {
  const stored = await session.rows<
    Record<
      'aggregate_id' | 'version' | 'type' | 'schema_version' | 'data' | 'occurred_at' | 'metadata',
      string
    > & {
      readonly local_time: string | null
    }
  >(sql`
    select e.aggregate_id, e.version, e.type, e.schema_version, e.data, e.occurred_at,
      ${raw(localTimeSql(model))} as local_time, e.metadata
    from ${raw(qualified(events.schema, events.table))} as e
    where e.aggregate_type = ${model.name}::text
      and ${streamRangeSql(range)}
    order by e.aggregate_id, e.version`)
  const folder = slotFolder(model)
  const streams = new Map<string, StreamFolder>()
  for (const event of stored) {
    const stream = streams.get(event.aggregate_id) ?? new StreamFolder(folder)
    streams.set(event.aggregate_id, stream)
    stream.add({
      aggregateId: event.aggregate_id,
      version: Number(event.version),
      type: event.type,
      schemaVersion: Number(event.schema_version),
      data: event.data,
      occurredAt: event.occurred_at,
      localTime: event.local_time,
      metadata: event.metadata,
    })
  }
  const rows = [...streams].flatMap(([id, { slots, problem }]) => {
    if (problem !== null) throw badStream(model, id, problem.message ?? problem.kind)
    return slots === null ? [] : [[id, ...slots]]
  })
  return JSON.stringify(rows)
}

async function refuseCaptured(session: Session, model: BoundModel): Promise<void> {
  await session.execute(sql`lock table ${raw(qualified(model.schema, model.table))} in row exclusive mode`)
  if ((await readCapture(session, model.name))?.state !== 'on') return
  const table = tableName({ schema: model.schema, name: model.table })
  throw new GateError('EW_IMPORT_CAPTURED', `${table} is captured: each row would get its events twice`, {
    next: `Run \`eventward capture off ${shellWord(table)}\`, and capture it again after the import.`,
    details: { table },
  })
}

function badStream(model: BoundModel, id: string, problem: string): GateError {
  return new GateError('EW_IMPORT_STREAM', `${model.name} ${id} can't be folded: ${problem}`, {
    next: 'Look at it where it was exported (`eventward verify`), and export again.',
    details: { aggregate: model.name, id, problem },
  })
}

/** What the table refuses (class 23) is mended in the table: what is done is kept, and the import goes on. */
function constraintError(error: unknown, model: BoundModel): unknown {
  if (!(error instanceof EventwardError) || sqlstateOf(error)?.startsWith('23') !== true) return error
  const table = tableName({ schema: model.schema, name: model.table })
  const { constraint = null, detail = null } = error.details
  return new GateError('EW_IMPORT_CONSTRAINT', `${table}: ${error.message}`, {
    next: 'Export the tables that it refers to as well, fill them here, or drop the constraint for the import; then run it again: it goes on.',
    details: { table, constraint, detail },
    cause: error,
  })
}
