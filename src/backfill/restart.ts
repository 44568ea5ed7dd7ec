import { bindAggregate } from '../bind/index.js'
import type { Database, Session } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { GateError } from '../errors/index.js'
import type { EventsTable } from '../migrate/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import {
  archiveName,
  archivePartition,
  type Defined,
  finishRun,
  forgetDefinition,
  lockDefinition,
  openRun,
  partitionOf,
  RESTART,
  type Run,
  requireEventsTable,
  resumableRun,
} from '../store/index.js'
import type { BackfillOptions } from './backfill-result.js'
import { captureOwed, isCaptured, owesCapture, turnOffForRestart, turnOnAgain } from './restart-capture.js'

/**
 * Archives the events of a table, so that a backfill can write them anew under a better definition: ends the table's
 * runs; turns capture off, where it is on, and waits out older snapshots; waits out slices at work; detaches the
 * partition (concurrently: no reader or writer of other events is barred) and renames it; forgets what its events meant;
 * closes the differences found in them; turns capture on again, into a new partition. What was begun is noted as a run
 * of its own: killed anywhere and called again, it goes on from there.
 *
 * @throws UsageError EW_RESTART_OTHER while another table's restart is half done, EW_PHASE; GateError EW_EVENTS_WRITTEN;
 * DatabaseError EW_BUSY, EW_LOCK_BUSY, EW_RESTART_OLDER; and those of `captureOn`.
 */
export async function restart(
  database: Database,
  definition: AggregateDefinition,
  options: BackfillOptions,
): Promise<void> {
  const begun = await database.session(async (session) => {
    const events = await requireEventsTable(session, options.events)
    // A definition that doesn't fit the table is refused before anything is archived.
    const { model } = await bindAggregate(session, definition)
    const run =
      (await resumableRun(session, runOf(definition))) ??
      (await beginRestart(session, definition, { events, hash: model.hash }))
    return run === null ? null : { run, events }
  })
  if (begun !== null) await archive(database, definition, { ...begun, options })
  await turnOnAgain(database, definition, options)
}

async function archive(
  database: Database,
  definition: AggregateDefinition,
  {
    run,
    events,
    options,
  }: { readonly run: Run; readonly events: EventsTable; readonly options: BackfillOptions },
): Promise<void> {
  // Written by beginRestart.
  const { captured = false, ...params } = run.params as unknown as RestartParams
  if (captured) await turnOffForRestart(database, definition, options)
  const refused = await database.session(async (session) => {
    await archivePartition(session, events, params)
    return session.transaction({}, () =>
      endRestart(session, definition, { events, run: run.id, archive: params.archive, captured }),
    )
  })
  if (refused !== null) throw refused
}

interface RestartParams {
  readonly oid: string
  readonly archive: string
  /** Capture was on when it began. */
  readonly captured?: boolean
}

/** Gives why it could not be ended, where events were written again meanwhile: the next restart begins anew then. */
async function endRestart(
  session: Session,
  definition: AggregateDefinition,
  {
    events,
    run,
    archive,
    captured,
  }: {
    readonly events: EventsTable
    readonly run: string
    readonly archive: string
    readonly captured: boolean
  },
): Promise<GateError | null> {
  await lockDefinition(session, definedBy(definition), 'exclusive')
  // Another process ended it meanwhile, and may have begun to write events anew.
  if ((await resumableRun(session, runOf(definition)))?.id !== run) return null
  await supersedeRuns(session, definition)
  const owed = await captureOwed(session, definition, captured)
  try {
    const forgotten = await forgetDefinition(session, definition.name, events)
    await session.execute(sql`
      update eventward.mismatches
      set resolved_at = clock_timestamp()
      where aggregate_type = ${definition.name}::text
        and resolved_at is null`)
    await finishRun(session, run, 'complete', {
      archive,
      definitions: JSON.parse(forgotten),
      captureOwed: owed,
    })
    return null
  } catch (error) {
    if (!(error instanceof GateError)) throw error
    await finishRun(session, run, 'failed', {
      superseded: true,
      archive,
      reason: error.message,
      captureOwed: owed,
    })
    return error
  }
}

/** Ends what is unfinished on the table: it was begun for events that are archived. */
async function supersedeRuns(session: Session, { table }: AggregateDefinition): Promise<void> {
  await session.execute(sql`
    update eventward.runs
    set state = 'failed', finished_at = clock_timestamp(), outcome = ${JSON.stringify({ superseded: true })}::jsonb
    where command in ('backfill', 'verify')
      and table_schema = ${table.schema}::text
      and table_name = ${table.name}::text
      and state <> 'complete'`)
}

/** Null where there is nothing to archive. */
async function beginRestart(
  session: Session,
  definition: AggregateDefinition,
  { events, hash }: { readonly events: EventsTable; readonly hash: string },
): Promise<Run | null> {
  return session.transaction({}, async () => {
    // Waits out slices at work; those that come later see that their run has ended.
    await lockDefinition(session, definedBy(definition), 'exclusive')
    const pending = await resumableRun(session, runOf(definition))
    if (pending !== null) return pending // Another process began it meanwhile: both end it.
    await supersedeRuns(session, definition)
    const partition = await partitionOf(session, events, definition.name)
    const captured =
      (await isCaptured(session, definition)) || (await owesCapture(session, definition, ['failed']))
    if (partition === null || (!captured && !(await holdsEvents(session, partition)))) {
      await forgetDefinition(session, definition.name, events)
      return null
    }
    return openRun(session, {
      ...runOf(definition),
      aggregateType: definition.name,
      definitionHash: hash,
      params: { oid: partition.oid, archive: await archiveName(session, partition), captured },
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
  return { command: RESTART, schema: table.schema, table: table.name }
}

function definedBy({ name, table }: AggregateDefinition): Defined {
  return { name, schema: table.schema, table: table.name }
}
