import { shapeId } from '../bind/index.js'
import { readRowShape } from '../catalog/index.js'
import type { Database, Session } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { GateError, shellWord, UsageError } from '../errors/index.js'
import type { EventsTable } from '../migrate/index.js'
import { captureNames, sql } from '../sql/index.js'
import {
  type Capture,
  captureProblems,
  ensurePartition,
  installDefinition,
  type Partition,
  partitionOf,
  readCapture,
  refuseChangedDefinition,
  refusePendingRestart,
  requireEventsTable,
  restartPending,
  withTableLock,
  writeCaptureOn,
} from '../store/index.js'
import { refreshTimeMachine } from '../timemachine/index.js'
import { bindCaptured, type CapturedTable, captureMoved } from './bind-captured.js'
import type { CaptureOptions, CaptureResult } from './capture-result.js'
import { type CheckedTable, checkTable } from './check-table.js'
import {
  type CompiledFunctions,
  compiledFunctions,
  installedMark,
  makeFunctions,
} from './compiled-functions.js'
import { isBroken, problemText } from './problem-text.js'

/**
 * Turns capture on: from now on each write to the table appends its events in the same transaction. Run again, it does
 * nothing where all is as it should be, and replaces what is not: functions of an older definition or of other columns
 * in place, broken triggers with a new epoch. One transaction, so that it's there wholly or not at all.
 *
 * Takes SHARE ROW EXCLUSIVE on the table for some ms, in short tries (see `withTableLock`).
 *
 * @throws UsageError where table, role or definition don't fit (EW_CAPTURE_..., those of `bindAggregate`,
 * EW_DEFINITION_CHANGED, EW_RESTART_PENDING); GateError EW_TABLE_MOVED where DDL came between; DatabaseError
 * EW_LOCK_BUSY, EW_BUSY.
 */
export async function captureOn(
  database: Database,
  definition: AggregateDefinition,
  options: CaptureOptions = {},
): Promise<CaptureResult> {
  return database.session(async (session) => {
    const { events, captured, checked } = await checkCapture(session, definition, options)
    const { bound } = captured
    const was = await readCapture(session, definition.name)
    await refuseOlderTable(session, captured, was)
    if (was !== null && (await isWhole(session, { was, captured, definition, events }))) {
      return resultOf(captured, was, { change: 'none', checked, locked: null })
    }
    await ensurePartition(session, events, definition.name, captured.table)
    let change: 'installed' | 'replaced' = 'installed'
    const locked = await withTableLock(
      session,
      {
        schema: bound.model.schema,
        table: bound.model.table,
        mode: 'share row exclusive',
        ...lockOptions(options),
        before: async () => {
          // Serialises all who turn capture on or off, and waits out the slices of a backfill.
          await installDefinition(session, bound.model, events)
          await makeFunctions(session, (await compileFor(session, captured, events)).functions)
        },
      },
      async () => {
        change = await install(session, { captured, definition, events })
      },
    )
    // A function that can't be made anew refuses whoever asks it, and says so: no business of capture's.
    await refreshTimeMachine(session, definition)
    const now = await readCapture(session, definition.name)
    if (now === null) throw captureMoved(captured.table)
    return resultOf(captured, now, { change, checked, locked })
  })
}

/**
 * Looks at all that could refuse to capture a table. Reads only.
 *
 * @throws as `captureOn`
 */
export async function checkCapture(
  session: Session,
  definition: AggregateDefinition,
  { events: configured }: Pick<CaptureOptions, 'events'>,
): Promise<{
  readonly events: EventsTable
  readonly captured: CapturedTable
  readonly checked: CheckedTable
}> {
  const events = await requireEventsTable(session, configured)
  const { schema, name } = definition.table
  await refusePendingRestart(session, { schema, table: name })
  const captured = await bindCaptured(session, definition)
  const checked = await checkTable(session, captured.bound.table, definition.name)
  await refuseChangedDefinition(session, captured.bound.model, events)
  return { events, captured, checked }
}

interface Installation {
  readonly captured: CapturedTable
  readonly definition: AggregateDefinition
  readonly events: EventsTable
}

/** Two tables whose triggers write the same streams would contradict each other. */
async function refuseOlderTable(
  session: Session,
  { bound, table }: CapturedTable,
  was: Capture | null,
): Promise<void> {
  if (was === null || was.state === 'off' || was.relid === bound.table.oid) return
  const [older] = await session.rows<{ name: string }>(sql`
    select oid::regclass::text as name
    from pg_class
    where oid = ${was.relid}::oid`)
  if (older === undefined) return
  throw new UsageError(
    'EW_CAPTURE_OTHER',
    `${table}: ${older.name} bore its name when capture was turned on, and is captured still; nothing was changed`,
    {
      next: `Run \`eventward capture off ${shellWord(table)}\` first: it takes the triggers off ${older.name}.`,
      details: { table, captured: older.name },
    },
  )
}

/** On, sound, and of the very functions that would be made now. */
async function isWhole(
  session: Session,
  { was, captured, definition, events }: Installation & { readonly was: Capture },
): Promise<boolean> {
  if (was.state !== 'on' || was.directWrites !== definition.directWrites) return false
  const partition = await partitionOf(session, events, definition.name)
  if (partition === null || partition.detaching || partition.oid !== was.partition) return false
  if ((await captureProblems(session, definition.name)).length > 0) return false
  const { mark } = await compiledFunctions(session, captured, partition)
  return mark === (await installedMark(session, definition.name))
}

async function compileFor(
  session: Session,
  captured: CapturedTable,
  events: EventsTable,
): Promise<{ readonly functions: CompiledFunctions; readonly partition: Partition }> {
  const partition = await partitionOf(session, events, captured.bound.model.name)
  // Under the definition's lock no restart of ours is at it: someone detached it by hand.
  if (partition === null || partition.detaching) throw restartPending(captured.table)
  return { functions: await compiledFunctions(session, captured, partition), partition }
}

/** Under the lock: the table is the one that was bound, and no writer is at work on it. */
async function install(
  session: Session,
  { captured, definition, events }: Installation,
): Promise<'installed' | 'replaced'> {
  const { model, table } = captured.bound
  const shape = await readRowShape(session, model.schema, model.table, model.key)
  if (shape !== captured.shape) throw captureMoved(captured.table)
  const partition = await partitionOf(session, events, model.name)
  if (partition === null) throw restartPending(captured.table)
  const was = await readCapture(session, model.name)
  const stood =
    was !== null && was.state === 'on' && was.relid === table.oid && was.partition === partition.oid
  const broken = stood ? (await captureProblems(session, model.name)).filter(isBroken) : []
  const anew = !stood || broken.length > 0
  await writeCaptureOn(
    session,
    {
      aggregateType: model.name,
      schema: model.schema,
      table: model.table,
      relid: table.oid,
      slug: captureNames(model.name).slug,
      directWrites: definition.directWrites,
      definitionHash: model.hash,
      rowShape: shapeId(model),
      partition: partition.oid,
    },
    anew,
  )
  const phase = was?.state === 'on' ? was.phase : 'dual_write'
  await session.execute(sql`select eventward.install_triggers(${model.name}::text, ${phase}::text)`)
  const [left] = await captureProblems(session, model.name)
  if (left !== undefined) throw notWhole(captured.table, problemText(captured.table, left))
  return anew ? 'installed' : 'replaced'
}

function notWhole(
  table: string,
  { what, next }: { readonly what: string; readonly next: string },
): GateError {
  return new GateError('EW_CAPTURE_BROKEN', `${table}: ${what}; nothing was changed`, {
    next,
    details: { table },
  })
}

/** The options of `withTableLock` that a caller of ours may set. Pure. */
export function lockOptions({ lockTimeoutMs, tries, signal, onProgress }: CaptureOptions) {
  return {
    ...(lockTimeoutMs === undefined ? {} : { lockTimeoutMs }),
    ...(tries === undefined ? {} : { tries }),
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  }
}

function resultOf(
  captured: CapturedTable,
  now: Capture,
  {
    change,
    checked,
    locked,
  }: {
    readonly change: CaptureResult['change']
    readonly checked: CheckedTable
    readonly locked: {
      readonly attempts: number
      readonly waitedMs: number
      readonly lockedMs: number
    } | null
  },
): CaptureResult {
  return {
    table: captured.table,
    capture: 'on',
    phase: now.phase,
    change,
    epoch: now.epoch,
    since: now.since,
    attempts: locked?.attempts ?? 0,
    waitedMs: locked?.waitedMs ?? null,
    lockedMs: locked?.lockedMs ?? null,
    notices: [
      ...(checked.superuser
        ? [
            `${checked.role} is a superuser, and the capture functions run with its rights: use a role without them (eventward doctor says which grants it needs)`,
          ]
        : []),
      ...(change === 'installed' && now.epoch !== '1'
        ? [
            `${captured.table}: rows that were written while nothing was captured have events that are behind, which a backfill passes over. After it: \`eventward verify ${shellWord(captured.table)} --repair\``,
          ]
        : []),
    ],
  }
}
