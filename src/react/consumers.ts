import type { Knex } from 'knex'
import { sqlstateOf } from '../db/index.js'
import { UsageError } from '../errors/index.js'
import {
  BEGINNING,
  type Cursor,
  cursorAt,
  cursorColumns,
  cursorOf,
  cursorValues,
  EPOCH,
  type EventName,
  type EventsAt,
  presentEpoch,
  setCursor,
  takeMark,
} from '../log/index.js'
import { type CallerConnection, connectionOf } from '../runtime/index.js'
import { sql } from '../sql/index.js'
import type { Reactor } from './reactor.js'

export interface Registered extends Pick<Reactor, 'name' | 'backfill'> {
  /** Events that it's to get. */
  readonly wants: readonly EventName[]
}

/**
 * Makes a place in the log for each reactor that has none: at the beginning where it asks for what a backfill made, else at
 * this moment. One that has a place keeps it, and gets other events from now on, where it wants others: from workers of
 * older code as well, which leave them to be handled by newer ones.
 *
 * @throws UsageError EW_NOT_MIGRATED
 */
export async function registerConsumers(
  knex: Knex,
  events: EventsAt,
  reactors: readonly Registered[],
): Promise<void> {
  if (reactors.length === 0) return
  await knex
    .transaction(
      async (trx) => {
        const connection = await connectionOf(trx)
        const now = cursorAt(await takeMark(connection, events, await knownRestored(connection)))
        // In one order for all workers: two that start at once wait for each other, and don't deadlock.
        const byName = [...reactors].sort((a, b) => (a.name < b.name ? -1 : 1))
        for (const { name, backfill, wants } of byName) {
          await connection.run([
            sql`
          insert into eventward.consumers as c (name, epoch, wants, ${cursorColumns()})
          values (${name}::text, ${EPOCH}, ${JSON.stringify(wants)}::pg_catalog.jsonb, ${cursorValues(backfill ? BEGINNING : now)})
          on conflict (name) do update set wants = excluded.wants
          where c.wants <> excluded.wants`,
          ])
        }
      },
      { isolationLevel: 'read committed' },
    )
    .catch((error: unknown) => {
      throw notMigrated(error)
    })
}

/** What was found for another reactor: no need to read the whole log again. */
async function knownRestored(connection: CallerConnection): Promise<string | null> {
  const [answer] = await connection.run([
    sql`
    select c.restored
    from eventward.consumers c
    where c.epoch = ${EPOCH}
      and c.restored is not null
    limit 1`,
  ])
  return answer?.rows[0]?.['restored'] ?? null
}

/** No such table, no such schema. */
export function notMigrated(error: unknown): unknown {
  if (!['42P01', '3F000'].includes(sqlstateOf(error) ?? '')) return error
  return new UsageError('EW_NOT_MIGRATED', 'the eventward schema of this database knows no reactors yet', {
    next: 'Run `eventward migrate up`.',
    cause: error,
  })
}

/** A reactor's place in the log, and what it is to get of it. */
export interface Consumer {
  readonly cursor: Cursor
  readonly wants: readonly EventName[]
}

/**
 * A reactor's place, locked until the transaction ends: it has one reader at a time. Null where it has none.
 *
 * @throws UsageError EW_LOG_EPOCH where the database was restored elsewhere: its transaction ids start over.
 */
export async function lockConsumer(connection: CallerConnection, name: string): Promise<Consumer | null> {
  const [answer] = await connection.run([
    sql`
    select ${cursorColumns()}, epoch, wants
    from eventward.consumers
    where name = ${name}::text
    for update`,
  ])
  const [row] = answer?.rows ?? []
  if (row === undefined) return null
  if (row['epoch'] !== (await presentEpoch(connection))) throw otherEpoch(name)
  // Written by `registerConsumers` alone.
  const wants = JSON.parse(row['wants'] ?? '[]') as readonly EventName[]
  return { cursor: cursorOf(row), wants }
}

/** Keeps how far it is, in the transaction of what was enqueued. */
export async function moveConsumer(
  connection: CallerConnection,
  name: string,
  { cursor, enqueued }: { readonly cursor: Cursor; readonly enqueued: number },
): Promise<void> {
  await connection.run([
    sql`
    update eventward.consumers
    set ${setCursor(cursor)},
      events = events + ${String(enqueued)}::bigint,
      moved_at = pg_catalog.clock_timestamp()
    where name = ${name}::text`,
  ])
}

/**
 * Begins anew at this moment: what was not enqueued by now never is, by the log.
 *
 * @throws UsageError EW_REACTOR_UNKNOWN
 */
export async function resetConsumer(knex: Knex, events: EventsAt, name: string): Promise<void> {
  await knex.transaction(
    async (trx) => {
      const connection = await connectionOf(trx)
      // First the lock: what a reader has in hand is enqueued, and the mark comes after it.
      await connection.run([sql`select from eventward.consumers where name = ${name}::text for update`])
      const now = cursorAt(await takeMark(connection, events, null))
      const [answer] = await connection.run([
        sql`
        update eventward.consumers
        set ${setCursor(now)}, epoch = ${EPOCH}, moved_at = pg_catalog.clock_timestamp()
        where name = ${name}::text`,
      ])
      if (answer?.count === 1) return
      throw new UsageError(
        'EW_REACTOR_UNKNOWN',
        `no reactor ${JSON.stringify(name)} has a place in the log`,
        {
          next: 'Run `eventward work status`: it names them.',
          details: { reactor: name },
        },
      )
    },
    { isolationLevel: 'read committed' },
  )
}

function otherEpoch(name: string): UsageError {
  return new UsageError(
    'EW_LOG_EPOCH',
    `reactor ${name}: this database was restored; its place in the log means nothing here`,
    {
      next: `Run \`eventward work reset ${name}\`: it goes on with what comes from then on.`,
      details: { reactor: name },
    },
  )
}
