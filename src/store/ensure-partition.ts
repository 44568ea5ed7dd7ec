import type { Session } from '../db/index.js'
import { DatabaseError } from '../errors/index.js'
import type { EventsTable } from '../migrate/index.js'
import { sql } from '../sql/index.js'
import { partitionOf } from './archive-partition.js'
import { partitionNames } from './partition-name.js'
import { restartPending } from './pending-restart.js'

/** Long enough to wait out another process that makes a partition; short enough to be noticed. */
const LOCK_TIMEOUT_MS = 5_000

/**
 * The partition of an aggregate type, made where there is none: a table of its own that is attached, under SHARE UPDATE
 * EXCLUSIVE on the events table, which bars no writer. Gives its quoted, qualified name. A relation which bears the
 * name already is left alone: it is never used, another name is taken.
 *
 * @throws UsageError EW_RESTART_PENDING where the partition is about to be detached, EW_PARTITION_NAME where each name
 * is taken.
 */
export async function ensurePartition(
  session: Session,
  events: EventsTable,
  aggregateType: string,
  tableName: string,
): Promise<string> {
  const existing = await partitionOf(session, events, aggregateType)
  if (existing?.detaching === true) throw restartPending(tableName)
  return session.transaction({ lockTimeoutMs: LOCK_TIMEOUT_MS }, async () => {
    const names = partitionNames(events.table, aggregateType)
    const name = existing?.table ?? (await freeName(session, events, names))
    if (name === null) throw nameTaken(events, aggregateType, names)
    const { made } = await session.one<{ made: string }>(sql`
      select eventward.create_partition(${aggregateType}::text, ${name}::text) as made`)
    return made
  })
}

async function freeName(
  session: Session,
  events: EventsTable,
  names: readonly string[],
): Promise<string | null> {
  const taken = await session.rows<{ name: string }>(sql`
    select c.relname::text as name
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${events.schema}::text
      and c.relname = any (${names}::text[])`)
  const bad = new Set(taken.map(({ name }) => name))
  return names.find((name) => !bad.has(name)) ?? null
}

function nameTaken(events: EventsTable, aggregateType: string, names: readonly string[]): DatabaseError {
  return new DatabaseError(
    'EW_PARTITION_NAME',
    `no partition for ${aggregateType}: ${names.map((name) => `${events.schema}.${name}`).join(' and ')} exist and are not attached to ${events.schema}.${events.table}`,
    { next: `Rename ${names.length === 1 ? 'it' : 'one of them'}.`, details: { aggregate: aggregateType } },
  )
}
