import { bindAggregate } from '../../src/bind/index.js'
import type { Database, Session } from '../../src/db/index.js'
import type { AggregateDefinition, Row } from '../../src/definition/index.js'
import { rowAt, type StoredEvent } from '../../src/fold/index.js'
import { type EventsName, localTimeSql, qualified, raw, sql } from '../../src/sql/index.js'
import { storedShapes } from '../../src/store/index.js'
import { timeMachineOn } from '../../src/timemachine/index.js'

const EVENTS: EventsName = { schema: 'public', table: 'events' }

/** What was compared. */
export interface Compared {
  readonly times: number
  readonly streams: number
  /** Rows that were there, over all times. */
  readonly rows: number
  /** As texts: stream or row, at which time. */
  readonly differences: readonly string[]
}

/**
 * Makes the function of a table and compares what it gives with what replaying stream by stream gives, column by column as
 * texts, at each of these times; or, where none are given, at some at which events happened, just before, and at the ends.
 */
export async function compareAsOf(
  database: Database,
  definition: AggregateDefinition,
  times?: readonly string[],
): Promise<Compared> {
  return database.session(async (session) => {
    await timeMachineOn(session, definition)
    return session.transaction({ readOnly: true, isolation: 'repeatable read' }, async () => {
      const { model } = await bindAggregate(session, definition, await storedShapes(session, definition.name))
      const streams = await readStreams(session, definition.name, localTimeSql(model))
      const { name } = await session.one<{ name: string }>(sql`
        select function_name as name from eventward.time_machines where aggregate_type = ${definition.name}::text`)
      const compared = { times: 0, streams: streams.size, rows: 0, differences: [] as string[] }
      for (const time of times ?? (await someTimes(session, definition.name))) {
        const point = await session.one<{ time: string }>(sql`select ${time}::timestamptz as time`)
        const expected = [...streams.values()].flatMap((events) => {
          const { row } = rowAt(model, events, { time: point.time })
          return row === null ? [] : [row]
        })
        const found = await session.rows<Row>(
          sql`select * from ${raw(qualified('eventward', name))}(${time}::timestamptz)`,
        )
        compared.times += 1
        compared.rows += found.length
        compared.differences.push(...differ(expected, found).map((one) => `${point.time}: ${one}`))
      }
      return compared
    })
  })
}

function differ(expected: readonly Row[], found: readonly Row[]): readonly string[] {
  const texts = (rows: readonly Row[]) => rows.map((row) => JSON.stringify(Object.entries(row))).sort()
  const [wanted, given] = [texts(expected), texts(found)]
  const inGiven = new Set(given)
  const inWanted = new Set(wanted)
  const extra = given.length === wanted.length ? [] : [`${given.length} rows instead of ${wanted.length}`]
  return [
    ...extra,
    ...wanted.filter((row) => !inGiven.has(row)).map((row) => `missing ${row}`),
    ...given.filter((row) => !inWanted.has(row)).map((row) => `not wanted ${row}`),
  ]
}

async function someTimes(session: Session, aggregate: string): Promise<readonly string[]> {
  const rows = await session.rows<{ time: string }>(sql`
    with t as (
      select distinct e.occurred_at as at
      from ${raw(qualified(EVENTS.schema, EVENTS.table))} e
      where e.aggregate_type = ${aggregate}::text
    ), n as (
      select t.at, row_number() over (order by t.at) as n, count(*) over () as c
      from t
    )
    select n.at as time from n where n.n % greatest(1, n.c / 4) = 0
    union
    select n.at - interval '1 microsecond' from n where n.n % greatest(1, n.c / 2) = 0 and isfinite(n.at)
    union values ('infinity'::timestamptz), ('-infinity')`)
  return rows.map(({ time }) => time)
}

async function readStreams(
  session: Session,
  aggregate: string,
  local: string,
): Promise<ReadonlyMap<string, readonly StoredEvent[]>> {
  const rows = await session.rows<Record<string, string> & { local_time: string | null }>(sql`
    select e.aggregate_id, e.version, e.type, e.schema_version, e.data, e.metadata, e.occurred_at, ${raw(local)} as local_time
    from ${raw(qualified(EVENTS.schema, EVENTS.table))} e
    where e.aggregate_type = ${aggregate}::text
    order by e.aggregate_id, e.version`)
  const streams = new Map<string, StoredEvent[]>()
  for (const row of rows) {
    const events = streams.get(row['aggregate_id']!) ?? []
    events.push({
      aggregateId: row['aggregate_id']!,
      version: Number(row['version']),
      type: row['type']!,
      schemaVersion: Number(row['schema_version']),
      data: row['data']!,
      metadata: row['metadata']!,
      occurredAt: row['occurred_at']!,
      localTime: row.local_time,
    })
    streams.set(row['aggregate_id']!, events)
  }
  return streams
}
