import type { Knex } from 'knex'
import { EventwardError } from '../errors/index.js'
import { closeWindow, inWindow, type Mark, openWindow, takeMark } from '../log/index.js'
import {
  type AppendedEvent,
  type CallerConnection,
  connectionOf,
  EVENT_COLUMNS,
  type EventGround,
  enqueuedAs,
  readingSession,
} from '../runtime/index.js'
import { type Query, qualified, raw, sql } from '../sql/index.js'
import type { Projection } from './define-projection.js'
import { type Generation, lockGeneration, refuseOtherLog, storeCursor } from './generations.js'
import { handledSql, handleEvent } from './handle-event.js'
import { readEvent } from './read-event.js'

export interface Page {
  readonly generation: Generation
  readonly written: number
  /** All that the window holds was written. */
  readonly drained: boolean
}

interface PageOptions {
  /** Events at most. */
  readonly limit: number
  /** Opens a window up to here where none is open. @default now */
  readonly mark?: Mark
}

/**
 * Writes the next events of the log to a generation, and moves its cursor, within the transaction. The generation is
 * locked by the caller.
 */
export async function writePage(
  trx: Knex.Transaction,
  { projection, ground }: { readonly projection: Projection; readonly ground: EventGround },
  generation: Generation,
  { limit, mark }: PageOptions,
): Promise<Page> {
  const connection = await connectionOf(trx)
  const open =
    generation.cursor.upto === null
      ? openWindow(
          generation.cursor,
          mark ?? (await takeMark(connection, ground.events, generation.cursor.restored)),
        )
      : generation.cursor
  const at = { ...generation, cursor: open }
  const rows = await readingSession(connection).rows(pageQuery(projection, ground, at, limit))
  const { readable, newer } = readableOf(projection, ground, rows)
  if (newer !== null && readable.length === 0) throw newer
  for (const event of readable.flatMap(({ events }) => events)) {
    await handleEvent(projection, generation, { trx, event })
  }
  const drained = newer === null && rows.length < limit
  const last = readable.at(-1)?.position ?? open.position
  const moved: Generation = {
    ...generation,
    cursor: drained ? closeWindow(open) : { ...open, position: last },
    events: String(BigInt(generation.events) + BigInt(readable.length)),
  }
  await storeCursor(connection, moved)
  if (drained) await forgetReceipts(connection, ground, moved)
  return { generation: moved, written: readable.length, drained }
}

/** What comes before the first event of newer code: it's written, and the place before that event is kept. */
function readableOf(projection: Projection, ground: EventGround, rows: readonly TextRow[]) {
  const readable: { readonly position: string; readonly events: readonly AppendedEvent[] }[] = []
  for (const row of rows) {
    try {
      readable.push({ position: row['position'] ?? '', events: readEvent(projection, ground, row) })
    } catch (error) {
      if (!(error instanceof EventwardError) || error.code !== 'EW_PROJECTION_NEWER') throw error
      return { readable, newer: error }
    }
  }
  return { readable, newer: null }
}

type TextRow = Readonly<Record<string, string | null>>

interface LonePageOptions extends Pick<PageOptions, 'limit'> {
  readonly wanted: (generation: Generation) => boolean
  /** How long the generation's lock is waited for, in ms. @default as the connection has it */
  readonly lockTimeoutMs?: number
}

/** Until the transaction ends. */
export function lockTimeout(ms: number): Query {
  return sql`select pg_catalog.set_config('lock_timeout', ${String(ms)}::text, true)`
}

/**
 * One page in a transaction of its own. Where a handler fails, what comes before that event is written and kept.
 *
 * @returns null where the generation is gone, or `wanted` says no to what it is by now.
 * @throws as `handleEvent`; UsageError EW_LOG_EPOCH
 */
export async function writePageAlone(
  knex: Knex,
  what: { readonly projection: Projection; readonly ground: EventGround },
  id: string,
  { limit, wanted, lockTimeoutMs }: LonePageOptions,
): Promise<Page | null> {
  const page = (most: number) =>
    knex.transaction(
      async (trx) => {
        const connection = await connectionOf(trx)
        if (lockTimeoutMs !== undefined) await connection.run([lockTimeout(lockTimeoutMs)])
        const generation = await lockGeneration(connection, id)
        if (generation === null || !wanted(generation)) return null
        await refuseOtherLog(connection, what.projection, generation)
        return writePage(trx, what, generation, { limit: most })
      },
      { isolationLevel: 'read committed' },
    )
  try {
    return await page(limit)
  } catch (error) {
    if (limit === 1 || !(error instanceof EventwardError) || error.code !== 'EW_PROJECTION_FAILED')
      throw error
    // One by one up to the event that fails: what is before it is none of its business.
    for (let left = limit; left > 0; left -= 1) {
      const one = await page(1)
      if (one === null || one.drained) return one
    }
    throw error
  }
}

/** SQL of whether a command wrote the event `e` to this generation already: as its metadata says, or ahead of its own. */
export function writtenInline({ name }: Pick<Projection, 'name'>, { id, generation }: Generation): Query {
  return sql`(${enqueuedAs(inlineName(name, generation))}
      or exists (select from eventward.projection_receipts r where r.generation_id = ${id}::bigint and r.position = e.position))`
}

/** How an event's metadata names a generation that its command wrote it to. */
export function inlineName(name: string, generation: number): string {
  return `projection:${name}__g${generation}`
}

function pageQuery(projection: Projection, { events }: EventGround, at: Generation, limit: number): Query {
  return sql`
    select ${EVENT_COLUMNS}
    from ${raw(qualified(events.schema, events.table))} e
    where ${inWindow(at.cursor)}
      and ${handledSql(projection)}
      and not ${writtenInline(projection, at)}
    order by e.position
    limit ${String(limit)}::bigint`
}

/** Of events that the snapshot sees: they'd be passed over without a receipt as well. */
async function forgetReceipts(
  connection: CallerConnection,
  { events }: EventGround,
  { id, cursor }: Generation,
): Promise<void> {
  await connection.run([
    sql`
    delete from eventward.projection_receipts r
    using ${raw(qualified(events.schema, events.table))} e
    where r.generation_id = ${id}::bigint
      and e.position = r.position
      and pg_catalog.pg_visible_in_snapshot(e.transaction_id, ${cursor.snapshot}::pg_catalog.pg_snapshot)`,
  ])
}
