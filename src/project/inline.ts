import type { Knex } from 'knex'
import { notDelivered } from '../log/index.js'
import {
  type AppendedEvent,
  type CallerConnection,
  connectionOf,
  EVENT_COLUMNS,
  type EventGround,
  type Participant,
  participate,
  readingSession,
} from '../runtime/index.js'
import { literal, type Query, qualified, raw, sql } from '../sql/index.js'
import { requireEventsTable } from '../store/index.js'
import type { Projection } from './define-projection.js'
import { type Generation, generationsOf, lockGeneration } from './generations.js'
import { groundOf } from './ground-of.js'
import { handledSql, handleEvent, handles } from './handle-event.js'
import { readEvent } from './read-event.js'
import { inlineName, writtenInline } from './write-page.js'

/**
 * From now on the commands of this knex, and of its transactions, write their events to the inline projections, in their
 * own transaction; those that are async are left to `eventward work`. Where no table is live yet, or it's of another
 * version of the projection, a command passes it over: `replay`, or the process that has that version, writes its events.
 *
 * A command holds an advisory lock on the generation, shared with other commands, until its transaction ends.
 *
 * @returns what takes them off again.
 */
export function attachProjections(knex: Knex, projections: readonly Projection[]): () => void {
  const detach = projections
    .filter(({ mode }) => mode === 'inline')
    .map((projection) => participate(knex, inlineParticipant(projection)))
  return () => {
    for (const off of detach) off()
  }
}

function inlineParticipant(projection: Projection): Participant {
  /** By transaction: what its last command's events were marked with is what they are written to. */
  const held = new WeakMap<Knex.Transaction, Generation>()
  return {
    async enqueues(trx, events) {
      const types = new Set(events.filter((event) => handles(projection, event)).map(({ type }) => type))
      if (types.size === 0) return {}
      const live = (await heldStill(trx, held.get(trx))) ?? (await liveFor(trx, projection))
      if (live === null) {
        held.delete(trx)
        return {}
      }
      held.set(trx, live)
      const mark = [inlineName(projection.name, live.generation)]
      return Object.fromEntries([...types].map((type) => [type, mark]))
    },
    async appended(trx, events) {
      const live = held.get(trx)
      if (live === undefined) return
      const own = events.filter((event) => handles(projection, event))
      if (own.length === 0) return
      await writeEarlier(trx, projection, live, own)
      for (const event of own) await handleEvent(projection, live, { trx, event })
    },
  }
}

/**
 * The generation of the transaction's command before this one, as it is now. Locked again: a rollback to a savepoint of
 * before that command let go of the lock, and others may have written to the generation since, or flipped it.
 */
async function heldStill(trx: Knex.Transaction, held: Generation | undefined): Promise<Generation | null> {
  if (held === undefined) return null
  const now = await lockGeneration(await connectionOf(trx), held.id, { shared: true })
  return now?.state === 'live' ? now : null
}

/** Null where the events are left to `eventward work`. */
async function liveFor(trx: Knex.Transaction, projection: Projection): Promise<Generation | null> {
  const connection = await connectionOf(trx)
  const [answer] = await connection.run([newerKnown(projection)])
  // Ours may come behind one in their stream that this code can't read: who writes that one writes them in order.
  if (answer?.rows[0]?.['newer'] === 't') return null
  return lockLive(connection, projection)
}

/** SQL of whether newer code has installed a version of an event that rules name. */
function newerKnown({ rules }: Projection): Query {
  const known = rules.flatMap(({ aggregate, types }) =>
    aggregate.events
      .filter(({ type }) => types.includes(type))
      .map(({ type, schemaVersion }) => `(${literal(aggregate.name)}, ${literal(type)}, ${schemaVersion})`),
  )
  if (known.length === 0) return sql`select false as newer`
  return sql`
    select exists (
      select
      from (values ${raw([...new Set(known)].join(', '))}) k (aggregate, type, version)
      join eventward.definitions d on d.aggregate_type = k.aggregate
        and d.type = k.type
        and d.schema_version > k.version
    ) as newer`
}

/** The live generation, if this process may write to it; it stays live until the transaction ends. */
async function lockLive(connection: CallerConnection, projection: Projection): Promise<Generation | null> {
  for (;;) {
    const live = (await generationsOf(connection, projection)).find(({ state }) => state === 'live')
    if (live === undefined || live.version !== projection.version) return null
    const locked = await lockGeneration(connection, live.id, { shared: true })
    // A replay may have flipped while we waited: then another one is live.
    if (locked?.state === 'live') return locked
  }
}

/**
 * What triggers have written to the same streams, and the reader has not reached yet: ahead of the command's own, so that
 * the order within each stream is kept. The row's lock, which the command holds, keeps the stream from growing.
 */
async function writeEarlier(
  trx: Knex.Transaction,
  projection: Projection,
  live: Generation,
  own: readonly AppendedEvent[],
): Promise<void> {
  const connection = await connectionOf(trx)
  const session = readingSession(connection)
  const events = await requireEventsTable(session)
  const firsts = new Map<string, AppendedEvent>()
  for (const event of own) {
    const stream = JSON.stringify([event.aggregate, event.id])
    const known = firsts.get(stream)
    if (known === undefined || event.version < known.version) firsts.set(stream, event)
  }
  let ground: EventGround | undefined
  for (const { aggregate, id, version } of firsts.values()) {
    const rows = await session.rows(sql`
      select ${EVENT_COLUMNS}
      from ${raw(qualified(events.schema, events.table))} e
      where e.aggregate_type = ${aggregate}::text
        and e.aggregate_id = ${id}::text collate "C"
        and e.version < ${String(version)}::integer
        and ${handledSql(projection)}
        and ${notDelivered(live.cursor)}
        and not ${writtenInline(projection, live)}
      order by e.version`)
    for (const row of rows) {
      ground ??= await groundOf(connection, projection)
      for (const event of readEvent(projection, ground, row)) {
        await handleEvent(projection, live, { trx, event })
      }
      await connection.run([
        sql`insert into eventward.projection_receipts (generation_id, position)
          values (${live.id}::bigint, ${row['position'] ?? null}::bigint)`,
      ])
    }
  }
}
