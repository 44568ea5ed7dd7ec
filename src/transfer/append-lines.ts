import type { Session } from '../db/index.js'
import { StoppedError } from '../errors/index.js'
import { type EventsName, qualified, raw, sql } from '../sql/index.js'
import { type ColumnNumbers, renumberedLine } from './column-numbers.js'
import { linesOf, positionOf } from './export-file.js'
import { type ImportRun, moveOn } from './import-run.js'

export interface AppendInput {
  readonly events: EventsName
  readonly file: string
  readonly run: ImportRun
  /** By aggregate. */
  readonly numbers: ReadonlyMap<string, ColumnNumbers>
  /** Lines, and characters of them, of one transaction. */
  readonly lines: number
  readonly signal: AbortSignal | undefined
  readonly onMoved: () => void
}

/** A batch of long lines must not fill the memory. */
const MOST_CHARACTERS = 4_000_000

/**
 * Appends the events of a file with the positions that they have there, a batch a transaction: the server reads the
 * lines, no value passes through JavaScript. Each event's metadata say which import it came by.
 */
export async function appendLines(session: Session, input: AppendInput): Promise<void> {
  const { run, file } = input
  const after = BigInt(run.cursor.position)
  let batch: string[] = []
  let [size, last] = [0, run.cursor.position]
  const flush = async () => {
    if (batch.length === 0) return
    if (input.signal?.aborted === true) throw stopped()
    const to = {
      ...run.cursor,
      position: last,
      events: String(BigInt(run.cursor.events) + BigInt(batch.length)),
    }
    const json = `[${batch.join(',')}]`
    await session.transaction({}, async () => {
      await moveOn(session, run, to)
      await session.execute(insertQuery(input, json))
    })
    run.cursor = to
    batch = []
    size = 0
    input.onMoved()
  }
  let first = true
  for await (const { line } of linesOf(file)) {
    if (first || line.startsWith('{"end"')) {
      first = false
      continue
    }
    const position = positionOf(line, file)
    if (BigInt(position) <= after) continue
    batch.push(renumbered(line, input.numbers))
    size += line.length
    last = position
    if (batch.length >= input.lines || size >= MOST_CHARACTERS) await flush()
  }
  await flush()
}

/** The aggregate stands second in a line. */
function renumbered(line: string, numbers: AppendInput['numbers']): string {
  if (!line.includes('"cold"')) return line
  const name = /^\{"position":"\d+","aggregate":("(?:[^"\\]|\\.)*")/.exec(line)?.[1]
  const number = name === undefined ? undefined : numbers.get(JSON.parse(name) as string)
  return number === undefined ? line : renumberedLine(line, number)
}

function insertQuery({ events, run }: AppendInput, json: string) {
  return sql`
    insert into ${raw(qualified(events.schema, events.table))} (position, aggregate_type, aggregate_id, version, type,
      schema_version, data, metadata, occurred_at, recorded_at)
    select (a.l ->> 'position')::bigint, a.l ->> 'aggregate', a.l ->> 'id', (a.l ->> 'version')::integer,
      a.l ->> 'type', (a.l ->> 'schemaVersion')::integer, (a.l -> 'data')::jsonb,
      (a.l -> 'metadata')::jsonb || jsonb_build_object('imported', ${run.id}::text),
      (a.l ->> 'occurredAt')::timestamptz, (a.l ->> 'recordedAt')::timestamptz
    from json_array_elements(${json}::json) with ordinality a (l, n)
    order by a.n`
}

export function stopped(): StoppedError {
  return new StoppedError('EW_STOPPED', 'the import was stopped', {
    next: 'What is committed is kept: run it again with the same file to go on.',
  })
}
