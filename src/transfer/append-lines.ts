import type { Session } from '../db/index.js'
import { StoppedError } from '../errors/index.js'
import { type EventsName, qualified, raw, sql } from '../sql/index.js'
import { type ColumnNumbers, renumberedLine } from './column-numbers.js'
import { linesOf, positionOf } from './export-file.js'
import { holdRun, type ImportRun, moveOn } from './import-run.js'

export interface AppendInput {
  readonly events: EventsName
  readonly file: string
  readonly run: ImportRun
  /** By aggregate. */
  readonly numbers: ReadonlyMap<string, ColumnNumbers>
  /** Lines of one transaction. */
  readonly lines: number
  readonly signal: AbortSignal | undefined
  readonly onMoved: () => void
}

/** A batch of long lines must not fill the memory. */
const MOST_CHARACTERS = 4_000_000

/**
 * Appends the events of a file in its order, a batch a transaction: the server reads the lines, no value passes through
 * JavaScript. They get new positions, drawn as ever, so that no reader of this log misses or misorders one; their
 * metadata tell the old one.
 */
export async function appendLines(session: Session, input: AppendInput): Promise<void> {
  const { run, file } = input
  const after = BigInt(run.cursor.position)
  let batch: string[] = []
  let [size, last] = [0, run.cursor.position]
  const flush = async () => {
    if (batch.length === 0) return
    refuseStopped(input.signal)
    const to = {
      ...run.cursor,
      position: last,
      events: String(BigInt(run.cursor.events) + BigInt(batch.length)),
    }
    const json = `[${batch.join(',')}]`
    await session.transaction({}, async () => {
      await holdRun(session, run)
      await session.execute(insertQuery(input, json))
      await moveOn(session, run, to)
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

/**
 * Positions are drawn as rows come out of the sort. Each line is made jsonb once (OFFSET keeps the cast from being
 * pulled up into every field): `json_to_recordset` took two and a half times as long.
 */
function insertQuery({ events, run }: AppendInput, json: string) {
  return sql`
    insert into ${raw(qualified(events.schema, events.table))} (aggregate_type, aggregate_id, version, type,
      schema_version, data, metadata, occurred_at, recorded_at)
    select u.l ->> 'aggregate', u.l ->> 'id', (u.l ->> 'version')::integer, u.l ->> 'type',
      (u.l ->> 'schemaVersion')::integer, u.l -> 'data',
      (u.l -> 'metadata') || jsonb_build_object('source', 'import', 'imported',
        jsonb_build_object('run', ${run.id}::text, 'position', u.l -> 'position', 'source', u.l #> '{metadata,source}')),
      (u.l ->> 'occurredAt')::timestamptz, (u.l ->> 'recordedAt')::timestamptz
    from (
      select e::jsonb as l
      from json_array_elements(${json}::json) as e
      offset 0
    ) as u
    order by (u.l ->> 'position')::bigint`
}

/** @throws StoppedError EW_STOPPED */
export function refuseStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return
  throw new StoppedError('EW_STOPPED', 'the import was stopped', {
    next: 'What is committed is kept: run it again with the same file to go on.',
  })
}
