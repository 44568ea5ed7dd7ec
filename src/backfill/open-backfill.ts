import { type BoundAggregate, bindAggregate } from '../bind/index.js'
import { readKeyShape, readRowShape } from '../catalog/index.js'
import { type Database, type Session, sqlstateOf } from '../db/index.js'
import { type AggregateDefinition, type EventShape, tableName } from '../definition/index.js'
import { GateError, shellWord } from '../errors/index.js'
import type { EventsTable } from '../migrate/index.js'
import { compileGreatestKey, type TypedKey, typedKey } from '../sql/index.js'
import {
  ensurePartition,
  finishRun,
  frozenShapes,
  type KeyTexts,
  lockDefinition,
  openRun,
  type Run,
  readCapture,
  refuseChangedDefinition,
  refusePendingRestart,
  registerDefinition,
  requireEventsTable,
  resumableRun,
  resumeRun,
  touchGivenUp,
} from '../store/index.js'
import { refreshTimeMachine } from '../timemachine/index.js'
import { type BackfillJob, MAX_ATTEMPTS } from './backfill-job.js'
import type { BackfillOptions } from './backfill-result.js'
import { epochOf, refuseOtherCapture } from './hold-capture.js'
import { lockBoundTable, tableMoved, walkIndex } from './lock-table.js'
import { rateLimit } from './rate-limit.js'
import { tableLocked } from './table-locked.js'
import { readTimeLimits } from './time-limits.js'

/** DDL that comes between again and again: someone is at work on the table. */
const BIND_TRIES = 5

/**
 * Binds and installs the definition, makes the partition, and opens a run or joins the one that isn't complete.
 * Everything that may be refused is looked at before anything is changed.
 *
 * @throws UsageError where definition, table or database don't fit; GateError EW_RUN_DEFINITION where a run was begun
 * under another definition and is not complete, EW_CAPTURE_DEFINITION, EW_TABLE_MOVED where DDL came between;
 * DatabaseError EW_BUSY, EW_TABLE_LOCKED.
 */
export async function openBackfill(
  database: Database,
  definition: AggregateDefinition,
  options: BackfillOptions,
): Promise<BackfillJob> {
  return database.session(async (session) => {
    const { bound, shape, events } = await checkBackfill(session, definition, options)
    const { model, table } = bound
    const key = typedKey(model, table.key?.columns ?? [])
    const limits = await readTimeLimits(session)
    const name = tableName(definition.table)
    await registerDefinition(session, model, events)
    // A function that can't be made anew refuses whoever asks it, and says so: no business of the backfill's.
    await refreshTimeMachine(session, definition)
    await ensurePartition(session, events, model.name, name)
    const { run, resumed, capture } = await openOrJoin(session, { bound, shape, events, key, name, options })
    return {
      database,
      model,
      key,
      shape,
      events,
      run,
      resumed,
      capture,
      tableName: name,
      rowEstimate: table.rowEstimate,
      limits,
      workers: options.workers ?? 2,
      chunkRows: options.chunkRows ?? 5000,
      rate: rateLimit(options.maxRate, () => performance.now()),
      patienceMs: patienceOf(options),
      onProgress: options.onProgress,
    }
  })
}

/**
 * Binds a definition and looks at all that could refuse its backfill. Reads only.
 *
 * @throws as `openBackfill`
 */
export async function checkBackfill(
  session: Session,
  definition: AggregateDefinition,
  options: Pick<BackfillOptions, 'events'>,
): Promise<{ readonly bound: BoundAggregate; readonly shape: string; readonly events: EventsTable }> {
  const events = await requireEventsTable(session, options.events)
  const name = tableName(definition.table)
  await refusePendingRestart(session, { schema: definition.table.schema, table: definition.table.name })
  const frozen = await frozenShapes(session, definition.name)
  const { bound, shape } = await bindInShape(session, definition, frozen)
  const capture = await readCapture(session, definition.name)
  refuseOtherCapture(capture, bound.model.hash, name)
  const unfinished = await resumableRun(session, runOf(bound))
  if (epochOf(capture) === null && isOfEpoch(unfinished, null)) refuseOtherDefinition(unfinished, bound, name)
  await refuseChangedDefinition(session, bound.model, events)
  return { bound, shape, events }
}

/** DDL between the statements that read the catalog would give a model of two halves: it's bound anew then. */
async function bindInShape(
  session: Session,
  definition: AggregateDefinition,
  frozen: readonly EventShape[],
): Promise<{ readonly bound: BoundAggregate; readonly shape: string }> {
  const { schema, name, key } = definition.table
  for (let tries = 1; tries <= BIND_TRIES; tries += 1) {
    const shape = await readRowShape(session, schema, name, key)
    const bound = await bindAggregate(session, definition, { frozen })
    if (shape === (await readRowShape(session, schema, name, key))) return { bound, shape }
  }
  throw tableMoved(tableName(definition.table))
}

interface Opening {
  readonly bound: BoundAggregate
  readonly shape: string
  readonly events: EventsTable
  readonly key: TypedKey
  readonly name: string
  readonly options: BackfillOptions
}

/** Under the definition's lock: two processes that begin at once share one run. */
async function openOrJoin(
  session: Session,
  opening: Opening,
): Promise<{ readonly run: Run; readonly resumed: boolean; readonly capture: string | null }> {
  const { bound, shape, events, name, options } = opening
  const { model } = bound
  try {
    return await session.transaction({}, async () => {
      await lockDefinition(session, model, 'exclusive')
      // Asked before, but others may have come between: a restart, or another name for the same table.
      await refusePendingRestart(session, model)
      await refuseChangedDefinition(session, model, events)
      await session.execute({ text: `set local lock_timeout = ${patienceOf(options)}`, values: [] })
      await lockBoundTable(session, { model, shape, tableName: name })
      const keyOrder = await readKeyShape(session, model.schema, model.table, model.key)
      const captured = await readCapture(session, model.name)
      refuseOtherCapture(captured, model.hash, name)
      const capture = epochOf(captured)
      const unfinished = await resumableRun(session, runOf(bound))
      const left = whyLeft(unfinished, { capture, keyOrder, hash: model.hash })
      if (capture === null && isOfEpoch(unfinished, null)) refuseOtherDefinition(unfinished, bound, name)
      if (unfinished !== null && left === null) {
        await touchGivenUp(session, unfinished.id, MAX_ATTEMPTS)
        return { run: await resumeRun(session, unfinished.id), resumed: true, capture }
      }
      if (unfinished !== null) {
        await finishRun(session, unfinished.id, 'failed', { superseded: true, reason: left })
      }
      return { run: await openNew(session, opening, { keyOrder, capture }), resumed: false, capture }
    })
  } catch (error) {
    if (sqlstateOf(error) !== '55P03') throw error
    throw await tableLocked(session, { model, tableName: name }, error)
  }
}

async function openNew(
  session: Session,
  { bound, key, options }: Opening,
  { keyOrder, capture }: { readonly keyOrder: string; readonly capture: string | null },
): Promise<Run> {
  const { model } = bound
  await walkIndex(session)
  const [greatest] = await session.rows<{ greatest: string }>(compileGreatestKey(model, key))
  return openRun(session, {
    ...runOf(bound),
    aggregateType: model.name,
    definitionHash: model.hash,
    params: { chunkRows: options.chunkRows ?? 5000, capture, keyOrder },
    upperKey: greatest === undefined ? null : (JSON.parse(greatest.greatest) as KeyTexts),
  })
}

function patienceOf({ patienceMs = 60_000 }: BackfillOptions): number {
  return patienceMs
}

function runOf({ model }: BoundAggregate) {
  return { command: 'backfill', schema: model.schema, table: model.table }
}

/** Why a run that isn't complete is left for another one; null where it's gone on with. */
function whyLeft(
  run: Run | null,
  now: { readonly capture: string | null; readonly keyOrder: string; readonly hash: string },
): string | null {
  // Rows behind what it did were written without events.
  if (!isOfEpoch(run, now.capture)) return 'capture was turned on or off since'
  // The triggers write under the new one already, and it says the same of what is stored.
  if (now.capture !== null && run?.definitionHash !== now.hash) return 'another definition is captured since'
  // Its ranges would be read in an order that they were not planned in: rows between them would be left out.
  return run?.params['keyOrder'] === now.keyOrder ? null : 'the key, its type or its order has changed'
}

/** Runs of before there was capture say `false`. */
function isOfEpoch(run: Run | null, epoch: string | null): boolean {
  const begun = run?.params['capture']
  return run !== null && (begun === false || begun === undefined ? null : begun) === epoch
}

function refuseOtherDefinition(run: Run | null, { model }: BoundAggregate, name: string): void {
  if (run === null || run.definitionHash === model.hash) return
  throw new GateError(
    'EW_RUN_DEFINITION',
    `${name}: run ${run.id} was begun under another definition (${run.definitionHash.slice(0, 12)}, now ${model.hash.slice(0, 12)}) and is not complete`,
    {
      next: `Give the definition back to let the run end, or write the table's events anew: \`eventward backfill ${shellWord(name)} --restart --confirm ${shellWord(name)}\`.`,
      details: { table: name, run: run.id, begun: run.definitionHash, now: model.hash },
    },
  )
}
