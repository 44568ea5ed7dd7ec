import { bindAggregate } from '../bind/index.js'
import type { EventsTable } from '../config/index.js'
import type { Database, Session } from '../db/index.js'
import type { AggregateDefinition, BoundModel, Row } from '../definition/index.js'
import { compileFold, type StoredEvent } from '../fold/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import { historyByKey, reconcile, sameTexts, type Texts, type Write } from './ledger.js'

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

/** Between which two tickets capture went on: earlier writes need no events, those in between may have some. */
export interface CapturedBetween {
  readonly from: bigint
  readonly to: bigint
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
  const found = [...histories].map(([key, history]) =>
    compareStream(
      model,
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

interface LoggedEvent extends StoredEvent {
  readonly xid: string
  readonly source: string
}

async function readStreams(
  session: Session,
  model: BoundModel,
  events: EventsTable,
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly LoggedEvent[]>> {
  const rows = await session.rows<Record<string, string>>(sql`
    select aggregate_id, version, type, schema_version, data, occurred_at, transaction_id, metadata ->> 'source' as source
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

interface Compared {
  readonly lost: number
  readonly doubled: number
  readonly differ: number
  readonly moments: number
  readonly examples: readonly string[]
}

/** What one transaction did to the row: the last image, and how many of its writes changed something. */
interface Moment {
  row: Texts | null
  changes: number
  readonly ticket: bigint
}

function compareStream(
  model: BoundModel,
  { key, history, before }: { key: string; history: readonly Write[]; before: Texts | null },
  events: readonly LoggedEvent[],
  { from, to }: CapturedBetween,
): Compared {
  const moments = momentsOf(history, before)
  const apply = compileFold(model)
  const left = new Map(moments)
  const found = { lost: 0, doubled: 0, differ: 0, moments: 0, examples: [] as string[] }
  const note = (what: string) => found.examples.push(`${key} ${what}`)
  let folded: Row | null = null
  for (const group of groupsByTransaction(events)) {
    for (const event of group) folded = apply(folded, event)
    const [first] = group
    if (first === undefined || first.source === 'backfill') continue
    const moment = left.get(first.xid)
    left.delete(first.xid)
    found.moments += 1
    if (moment === undefined || moment.ticket < from || repeated(group) > Math.max(moment.changes, 1)) {
      found.doubled += 1
      note(`v${first.version}: events without a write of transaction ${first.xid}, or too many`)
    } else if (!sameTexts(folded, moment.row)) {
      found.differ += 1
      note(`v${first.version}: events ${JSON.stringify(folded)}, writer ${JSON.stringify(moment.row)}`)
    }
  }
  for (const [xid, { changes, ticket }] of left) {
    if (ticket <= to || changes === 0) continue
    found.lost += 1
    note(`transaction ${xid} left no event`)
  }
  return found
}

function momentsOf(history: readonly Write[], before: Texts | null): ReadonlyMap<string, Moment> {
  const moments = new Map<string, Moment>()
  let row = before
  for (const write of history) {
    const moment = moments.get(write.xid) ?? { row: null, changes: 0, ticket: write.ticket }
    moment.changes += sameTexts(row, write.row) ? 0 : 1
    moment.row = write.row
    moments.set(write.xid, moment)
    row = write.row
  }
  return moments
}

/** Events of one transaction are neighbours in their stream: it held the row. */
function groupsByTransaction(events: readonly LoggedEvent[]): readonly (readonly LoggedEvent[])[] {
  const groups: LoggedEvent[][] = []
  for (const event of events) {
    const last = groups.at(-1)
    if (last?.[0]?.xid === event.xid) last.push(event)
    else groups.push([event])
  }
  return groups
}

/** How often the most frequent event of a group is in it. */
function repeated(group: readonly LoggedEvent[]): number {
  const counts = new Map<string, number>()
  for (const { type, data } of group) counts.set(type + data, (counts.get(type + data) ?? 0) + 1)
  return Math.max(...counts.values())
}
