import type { Knex } from 'knex'
import {
  type Cursor,
  closeWindow,
  type EventsAt,
  inWindow,
  isOneOf,
  openWindow,
  takeMark,
} from '../log/index.js'
import { type CallerConnection, connectionOf, enqueuedAs, readingSession } from '../runtime/index.js'
import { type Query, qualified, raw, sql } from '../sql/index.js'
import { enqueue } from './attach.js'
import { type Consumer, lockConsumer, moveConsumer } from './consumers.js'
import { enqueueInOrder } from './in-order.js'
import type { Reactor } from './reactor.js'

/** What reading one page of the log for a reactor came to. */
export interface ReadPage {
  /** Jobs that were enqueued. */
  readonly enqueued: number
  /** Nothing is left up to the moment at which it was read. */
  readonly drained: boolean
}

/** Events of one page: their jobs are committed with the place in the log. */
const PAGE = 200

/**
 * Enqueues a reactor's next events of the log, and moves its place in the same transaction: those of old code, of the shim
 * and of processes that don't know the reactor. Events whose metadata names it have their job already.
 *
 * Locks the reactor's row of `eventward.consumers`, and no event.
 *
 * @throws UsageError EW_LOG_EPOCH, EW_QUEUE
 */
export async function readLog(
  knex: Knex,
  { events, reactor }: { readonly events: EventsAt; readonly reactor: Reactor },
): Promise<ReadPage> {
  return knex.transaction(
    async (trx) => {
      const connection = await connectionOf(trx)
      const consumer = await lockConsumer(connection, reactor.name)
      if (consumer === null) return { enqueued: 0, drained: true }
      const opened = await openedAt(connection, events, consumer.cursor)
      if (opened === null) return { enqueued: 0, drained: true }
      const at = { cursor: opened, wants: consumer.wants }
      const rows = await readingSession(connection).rows(pageQuery(events, at, reactor))
      const jobs = rows.map((row) => ({
        reactor: reactor.name,
        aggregate: row['aggregate_type'] ?? '',
        id: row['aggregate_id'] ?? '',
        position: row['position'] ?? '',
        attempts: reactor.maxAttempts,
      }))
      if (jobs.length > 0) {
        if (reactor.ordered) await enqueueInOrder(trx, jobs)
        else await enqueue(trx, jobs)
      }
      const drained = rows.length < PAGE
      const last = rows.at(-1)?.['position'] ?? opened.position
      const moved = drained ? closeWindow(opened) : { ...opened, position: last }
      await moveConsumer(connection, reactor.name, { cursor: moved, enqueued: jobs.length })
      return { enqueued: jobs.length, drained }
    },
    { isolationLevel: 'read committed' },
  )
}

/** The window that is open, or a new one; null where nothing was written since: then there's nothing to keep, either. */
async function openedAt(
  connection: CallerConnection,
  events: EventsAt,
  cursor: Cursor,
): Promise<Cursor | null> {
  if (cursor.upto !== null) return cursor
  const mark = await takeMark(connection, events, cursor.restored)
  return BigInt(mark.position) <= BigInt(cursor.horizon) ? null : openWindow(cursor, mark)
}

function pageQuery(
  { schema, table }: EventsAt,
  { cursor, wants }: Consumer,
  { name, backfill }: Reactor,
): Query {
  const history = backfill
    ? sql``
    : sql`and coalesce(e.metadata ->> 'source', '') not in ('backfill', 'repair', 'import')`
  return sql`
    select e.position, e.aggregate_type, e.aggregate_id
    from ${raw(qualified(schema, table))} e
    where ${inWindow(cursor)}
      and ${isOneOf(wants)}
      ${history}
      and not ${enqueuedAs(name)}
    order by e.position
    limit ${String(PAGE)}::bigint`
}
