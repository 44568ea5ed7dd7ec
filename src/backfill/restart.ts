import { bindAggregate } from '../bind/index.js'
import type { Database, Session } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import type { EventsTable } from '../migrate/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import {
  archiveName,
  archivePartition,
  finishRun,
  forgetDefinition,
  lockDefinition,
  openRun,
  partitionOf,
  type Run,
  requireEventsTable,
  restartPending,
  resumableRun,
} from '../store/index.js'
import type { BackfillOptions } from './backfill-result.js'
import { tableName } from './table-name.js'

/**
 * Archives the events of a table, so that a backfill can write them anew under a better definition: ends the table's
 * runs, waits out slices at work, detaches the partition (concurrently: no reader or writer of other events is barred)
 * and renames it, forgets what its events meant, and closes the differences found in them. What was begun is noted as a
 * run of its own: killed anywhere and called again, it goes on from there.
 */
export async function restart(
  database: Database,
  definition: AggregateDefinition,
  options: BackfillOptions,
): Promise<void> {
  await database.session(async (session) => {
    const events = await requireEventsTable(session, options.events)
    // A definition that doesn't fit the table is refused before anything is archived.
    const { model } = await bindAggregate(session, definition)
    const run =
      (await resumableRun(session, runOf(definition))) ??
      (await beginRestart(session, definition, { events, hash: model.hash }))
    if (run === null) return
    const { oid, archive } = run.params as { readonly oid: string; readonly archive: string }
    await archivePartition(session, events, { oid, archive })
    await session.transaction({}, async () => {
      await lockDefinition(session, definition.name, 'exclusive')
      const forgotten = await forgetDefinition(session, definition.name)
      await session.execute(sql`
        update eventward.mismatches
        set resolved_at = clock_timestamp()
        where aggregate_type = ${definition.name}::text
          and resolved_at is null`)
      await finishRun(session, run.id, 'complete', { archive, definitions: JSON.parse(forgotten) })
    })
  })
}

/**
 * Refuses to go on while a restart is half done.
 *
 * @throws UsageError EW_RESTART_PENDING
 */
export async function refusePendingRestart(session: Session, definition: AggregateDefinition): Promise<void> {
  if ((await resumableRun(session, runOf(definition))) !== null)
    throw restartPending(tableName(definition.table))
}

/** Null where there is nothing to archive. */
async function beginRestart(
  session: Session,
  definition: AggregateDefinition,
  { events, hash }: { readonly events: EventsTable; readonly hash: string },
): Promise<Run | null> {
  const { schema, name: table } = definition.table
  return session.transaction({}, async () => {
    // Waits out slices at work; those that come later see that their run has ended.
    await lockDefinition(session, definition.name, 'exclusive')
    const pending = await resumableRun(session, runOf(definition))
    if (pending !== null) return pending // Another process began it meanwhile: both end it.
    const superseded = JSON.stringify({ superseded: true })
    await session.execute(sql`
      update eventward.runs
      set state = 'failed', finished_at = clock_timestamp(), outcome = ${superseded}::jsonb
      where command in ('backfill', 'verify')
        and table_schema = ${schema}::text
        and table_name = ${table}::text
        and state <> 'complete'`)
    const partition = await partitionOf(session, events, definition.name)
    if (partition === null || !(await holdsEvents(session, partition))) {
      await forgetDefinition(session, definition.name)
      return null
    }
    return openRun(session, {
      ...runOf(definition),
      aggregateType: definition.name,
      definitionHash: hash,
      params: { oid: partition.oid, archive: await archiveName(session, partition) },
      upperKey: null,
    })
  })
}

async function holdsEvents(
  session: Session,
  partition: { readonly schema: string; readonly table: string },
): Promise<boolean> {
  const { found } = await session.one<{ found: string }>(sql`
    select exists (select from ${raw(qualified(partition.schema, partition.table))}) as found`)
  return found === 't'
}

function runOf({ table }: AggregateDefinition) {
  return { command: 'backfill --restart', schema: table.schema, table: table.name }
}
