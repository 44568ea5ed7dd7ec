import { type BoundAggregate, bindAggregate } from '../bind/index.js'
import type { Database, Session } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { GateError } from '../errors/index.js'
import type { EventsTable } from '../migrate/index.js'
import { compileGreatestKey, type TypedKey, typedKey } from '../sql/index.js'
import {
  ensurePartition,
  frozenShapes,
  type KeyTexts,
  lockDefinition,
  openRun,
  type Run,
  refuseChangedDefinition,
  registerDefinition,
  requireEventsTable,
  resumableRun,
  resumeRun,
  touchGivenUp,
} from '../store/index.js'
import { type BackfillJob, MAX_ATTEMPTS } from './backfill-job.js'
import type { BackfillOptions } from './backfill-result.js'
import { rateLimit } from './rate-limit.js'
import { refusePendingRestart } from './restart.js'
import { lockTable, walkIndex } from './run-slice.js'
import { tableName } from './table-name.js'
import { readTimeLimits } from './time-limits.js'

/**
 * Binds and installs the definition, makes the partition, and opens a run or joins the one that isn't complete.
 * Everything that may be refused is looked at before anything is changed.
 *
 * @throws UsageError where definition, table or database don't fit; GateError EW_RUN_DEFINITION where a run was begun
 * under another definition and is not complete.
 */
export async function openBackfill(
  database: Database,
  definition: AggregateDefinition,
  options: BackfillOptions,
): Promise<BackfillJob> {
  return database.session(async (session) => {
    const { bound, events } = await checkBackfill(session, definition, options)
    const { model, table } = bound
    const key = typedKey(model, table.key?.columns ?? [])
    const limits = await readTimeLimits(session)
    const name = tableName(definition.table)
    await registerDefinition(session, model, events)
    await ensurePartition(session, events, model.name, name)
    const { run, resumed } = await openOrJoin(session, { bound, key, name, options })
    return {
      database,
      model,
      key,
      events,
      run,
      resumed,
      tableName: name,
      rowEstimate: table.rowEstimate,
      limits,
      workers: options.workers ?? 2,
      chunkRows: options.chunkRows ?? 5000,
      rate: rateLimit(options.maxRate, () => performance.now()),
      patienceMs: options.patienceMs ?? 60_000,
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
): Promise<{ readonly bound: BoundAggregate; readonly events: EventsTable }> {
  const events = await requireEventsTable(session, options.events)
  const name = tableName(definition.table)
  await refusePendingRestart(session, definition)
  const frozen = await frozenShapes(session, definition.name)
  const bound = await bindAggregate(session, definition, { frozen })
  const unfinished = await resumableRun(session, runOf(bound))
  refuseOtherDefinition(unfinished, bound, name)
  await refuseChangedDefinition(session, bound.model, events)
  return { bound, events }
}

interface Opening {
  readonly bound: BoundAggregate
  readonly key: TypedKey
  readonly name: string
  readonly options: BackfillOptions
}

/** Under the definition's lock: two processes that begin at once share one run. */
async function openOrJoin(
  session: Session,
  { bound, key, name, options }: Opening,
): Promise<{ readonly run: Run; readonly resumed: boolean }> {
  const { model } = bound
  return session.transaction({}, async () => {
    await lockDefinition(session, model.name, 'exclusive')
    const unfinished = await resumableRun(session, runOf(bound))
    refuseOtherDefinition(unfinished, bound, name)
    if (unfinished !== null) {
      await touchGivenUp(session, unfinished.id, MAX_ATTEMPTS)
      return { run: await resumeRun(session, unfinished.id), resumed: true }
    }
    await lockTable(session, { model })
    await walkIndex(session)
    const [greatest] = await session.rows<{ greatest: string }>(compileGreatestKey(model, key))
    const run = await openRun(session, {
      ...runOf(bound),
      aggregateType: model.name,
      definitionHash: model.hash,
      params: { chunkRows: options.chunkRows ?? 5000, capture: false },
      upperKey: greatest === undefined ? null : (JSON.parse(greatest.greatest) as KeyTexts),
    })
    return { run, resumed: false }
  })
}

function runOf({ model }: BoundAggregate) {
  return { command: 'backfill', schema: model.schema, table: model.table }
}

function refuseOtherDefinition(run: Run | null, { model }: BoundAggregate, name: string): void {
  if (run === null || run.definitionHash === model.hash) return
  throw new GateError(
    'EW_RUN_DEFINITION',
    `${name}: run ${run.id} was begun under another definition (${run.definitionHash.slice(0, 12)}, now ${model.hash.slice(0, 12)}) and is not complete`,
    {
      next: `Give the definition back to let the run end, or write the table's events anew: \`eventward backfill ${name} --restart --confirm ${name}\`.`,
      details: { table: name, run: run.id, begun: run.definitionHash, now: model.hash },
    },
  )
}
