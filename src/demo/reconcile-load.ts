import { bindAggregate } from '../bind/index.js'
import type { EventsTable } from '../config/index.js'
import type { Database, Session } from '../db/index.js'
import type { AggregateDefinition, BoundModel } from '../definition/index.js'
import { compileFold } from '../fold/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import { type CapturedBetween, type Compared, compareStream, type LoggedEvent } from './compare-stream.js'
import { historyByKey, reconcile, type Texts, type Write } from './ledger.js'

/** How ledger, rows and folded events compare. */
export interface Reconciled {
  readonly rows: string
  /** Rows that are not what the ledger says, those included that nobody touched. */
  readonly rowsDiffer: number
  /** Committed writes that changed a row and left no event. */
  readonly lost: number
  /** Events without a committed write, or twice for one. */
  readonly doubled: number
  /** Moments at which the events up to there do not fold to what the writer saw. */
  readonly differ: number
  /** Moments that were compared: a key in a transaction. */
  readonly moments: number
  /** The first of each that is wrong, in words. */
  readonly examples: readonly string[]
}

/** Every row of the table as texts, by key. */
export async function readRows(database: Database): Promise<ReadonlyMap<string, Texts>> {
  const rows = await database.session((session) => session.rows(sql`select * from public.subscriptions`))
  return new Map(rows.map((row) => [row['id'] ?? '', row]))
}

/** A ticket of the ledger: writes with a lower one were made before. */
export async function takeTicket(database: Database): Promise<bigint> {
  const { ticket } = await database.session((session) =>
    session.one<{ ticket: string }>(sql`select nextval('public.ledger') as ticket`),
  )
  return BigInt(ticket)
}

/** Compares the rows with the ledger: before there are events. Nobody may write meanwhile. */
export async function reconcileRows(
  database: Database,
  before: ReadonlyMap<string, Texts>,
  writes: readonly Write[],
): Promise<Reconciled> {
  const now = await readRows(database)
  const wrong = reconcile(before, writes, now)
  return {
    rows: String(now.size),
    rowsDiffer: wrong.length,
    lost: 0,
    doubled: 0,
    differ: 0,
    moments: 0,
    examples: wrong
      .slice(0, 3)
      .map(({ key, ledger, row }) => `${key}: ledger ${JSON.stringify(ledger)}, row ${JSON.stringify(row)}`),
  }
}

/**
 * Compares rows, ledger and events: the rows with the ledger, and the ledger with the events, moment by moment: after
 * each transaction the events of a stream up to there fold to the row that its writer saw. Nobody may write meanwhile.
 */
export async function reconcileLoad(
  database: Database,
  definition: AggregateDefinition,
  load: {
    readonly before: ReadonlyMap<string, Texts>
    readonly writes: readonly Write[]
    readonly captured: CapturedBetween
    readonly events: EventsTable
  },
): Promise<Reconciled> {
  const rows = await reconcileRows(database, load.before, load.writes)
  const histories = historyByKey(load.writes)
  const { model, streams } = await database.session(async (session) => {
    const { model } = await bindAggregate(session, definition)
    return { model, streams: await readStreams(session, model, load.events, [...histories.keys()]) }
  })
  const apply = compileFold(model)
  const found = [...histories].map(([key, history]) =>
    compareStream(
      apply,
      { key, history, before: load.before.get(key) ?? null },
      streams.get(key) ?? [],
      load.captured,
    ),
  )
  const strangers = await countStrangers(database, model, load.events, [...histories.keys()])
  const sum = (count: (one: Compared) => number) => found.reduce((total, one) => total + count(one), 0)
  return {
    ...rows,
    lost: sum(({ lost }) => lost),
    doubled: sum(({ doubled }) => doubled) + strangers,
    differ: sum(({ differ }) => differ),
    moments: sum(({ moments }) => moments),
    examples: [...rows.examples, ...found.flatMap(({ examples }) => examples).slice(0, 3)],
  }
}

async function readStreams(
  session: Session,
  model: BoundModel,
  events: EventsTable,
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly LoggedEvent[]>> {
  const rows = await session.rows<Record<string, string>>(sql`
    select aggregate_id, version, type, schema_version, data, occurred_at, transaction_id, metadata ->> 'source' as source,
      metadata ->> 'existing' as existing
    from ${raw(qualified(events.schema, events.table))}
    where aggregate_type = ${model.name}::text
      and aggregate_id = any (${keys}::text[])
    order by aggregate_id, version`)
  const streams = new Map<string, LoggedEvent[]>()
  for (const row of rows) {
    const event: LoggedEvent = {
      aggregateId: row['aggregate_id']!,
      version: Number(row['version']),
      type: row['type']!,
      schemaVersion: Number(row['schema_version']),
      data: row['data']!,
      occurredAt: row['occurred_at']!,
      localTime: null,
      xid: row['transaction_id']!,
      source: row['source'] ?? '',
      existing: row['existing'] === 'true',
    }
    const stream = streams.get(event.aggregateId)
    if (stream === undefined) streams.set(event.aggregateId, [event])
    else stream.push(event)
  }
  return streams
}

/** Events of writes to keys that nobody wrote. */
async function countStrangers(
  database: Database,
  model: BoundModel,
  events: EventsTable,
  keys: readonly string[],
): Promise<number> {
  const { count } = await database.session((session) =>
    session.one<{ count: string }>(sql`
      select count(*) as count
      from ${raw(qualified(events.schema, events.table))}
      where aggregate_type = ${model.name}::text
        and not aggregate_id = any (${keys}::text[])
        and metadata ->> 'source' <> 'backfill'`),
  )
  return Number(count)
}
