import { type BoundAggregate, bindAggregate } from '../bind/index.js'
import { captureOn } from '../capture/index.js'
import { type CatalogTable, readRowShape, readTables } from '../catalog/index.js'
import type { Database, Session } from '../db/index.js'
import { type AggregateDefinition, type BoundModel, type Text, tableName } from '../definition/index.js'
import { GateError, shellWord } from '../errors/index.js'
import type { EventsTable } from '../migrate/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import {
  type Epoch,
  finishRun,
  installDefinition,
  openRun,
  pendingMoves,
  type RowMove,
  readCapture,
  recordEpochs,
  refuseChangedDefinition,
  refusePendingRestart,
  requireEventsTable,
  storedShapes,
} from '../store/index.js'
import { refreshTimeMachine } from '../timemachine/index.js'
import { addedTexts } from './added-texts.js'
import type { AdoptedColumn, AdoptOptions, AdoptResult } from './adopt-result.js'
import { definitionBehind } from './definition-behind.js'
import { movedBack } from './moved-back.js'

/** Long enough for a DDL that is at work; a table that is held for longer is said so. */
const LOCK_TIMEOUT_MS = 5_000

/**
 * Adopts what the application has changed of a table's columns since its events were written: columns added, renamed,
 * dropped or retyped. From now on fold and verify read older events by the columns' numbers: what they call a renamed
 * column is the renamed one, what they say of a dropped one is nobody's, and rows that they created start with what an
 * added column gave to rows that were there. Then capture is put on for the columns as they are.
 *
 * No stored event is changed; the order of DDL and writes doesn't matter. Run again, or after it was killed, it does what
 * is left to do. A full verify must follow: values that a change of type has converted differ, and are repaired there.
 *
 * Takes ACCESS SHARE on the table for a moment, then, where it's captured, SHARE ROW EXCLUSIVE as `captureOn` does.
 *
 * @throws UsageError EW_NOT_MIGRATED, EW_ADOPT_DEFINITION where the definition must be changed first,
 * EW_DEFAULT_UNKNOWN, EW_DEFINITION_CHANGED; GateError EW_TABLE_MOVED; those of `captureOn`
 */
export async function adopt(
  database: Database,
  definition: AggregateDefinition,
  options: AdoptOptions = {},
): Promise<AdoptResult> {
  const table = tableName(definition.table)
  const plan = await database.session((session) => planAdoption(session, definition, options))
  if (options.dryRun === true) return resultOf(table, plan.epochs, { dryRun: true })
  const run = await database.session((session) => record(session, plan))
  const captured = plan.state === 'on' ? await recapture(database, definition, options) : {}
  const stale = await database.session((session) => refreshTimeMachine(session, definition))
  const notices = stale === null ? [] : [`${stale.message}. ${stale.next ?? ''}`.trimEnd()]
  const result = resultOf(table, plan.epochs, { run, ...captured })
  return { ...result, notices: [...result.notices, ...notices] }
}

async function recapture(
  database: Database,
  definition: AggregateDefinition,
  { defaults: _defaults, dryRun: _dryRun, ...options }: AdoptOptions,
): Promise<Pick<AdoptResult, 'capture' | 'lockedMs'>> {
  const { change, lockedMs } = await captureOn(database, definition, options)
  return { capture: change === 'none' ? 'none' : 'replaced', lockedMs }
}

interface Plan {
  readonly bound: BoundAggregate
  readonly events: EventsTable
  /** What the table was: see `readRowShape`. */
  readonly shape: string
  readonly epochs: readonly Epoch[]
  readonly state: 'on' | 'off' | null
}

/** Looks at all that could refuse it. Reads only. */
async function planAdoption(
  session: Session,
  definition: AggregateDefinition,
  options: AdoptOptions,
): Promise<Plan> {
  const events = await requireEventsTable(session, options.events)
  const { schema, name, key } = definition.table
  await refusePendingRestart(session, { schema, table: name })
  const shape = await readRowShape(session, schema, name, key)
  const [live] = await readTables(session, [schema], [name])
  const moves = live === undefined ? [] : await movesOf(session, definition.name, live)
  const bound = await bindMoved(session, definition, events, moves)
  const texts = await addedTexts(session, bound, { moves, defaults: options.defaults ?? {}, events })
  const capture = await readCapture(session, definition.name)
  const restored = moves.length === 0 && (await movedBack(session, bound.model, events))
  return {
    bound,
    events,
    shape,
    epochs: [...moves.map((move) => epochOf(move, texts)), ...(restored ? [RESTORED] : [])],
    state: capture?.state ?? null,
  }
}

/** Columns were moved and moved back: events of the time between name what they were called then. */
const RESTORED: Epoch = { kind: 'restored', attnum: 0, column: '', before: null, after: null }

function movesOf(session: Session, aggregateType: string, live: CatalogTable): Promise<readonly RowMove[]> {
  return pendingMoves(
    session,
    aggregateType,
    live.columns.filter(({ generated }) => !generated),
  )
}

/** A definition that speaks of columns which are no more must be changed first, and is told how. */
async function bindMoved(
  session: Session,
  definition: AggregateDefinition,
  events: EventsTable,
  moves: readonly RowMove[],
): Promise<BoundAggregate> {
  try {
    const bound = await bindAggregate(session, definition, await storedShapes(session, definition.name))
    await refuseChangedDefinition(session, bound.model, events)
    return bound
  } catch (error) {
    throw definitionBehind(tableName(definition.table), moves, error)
  }
}

function epochOf(move: RowMove, texts: ReadonlyMap<number, Text>): Epoch {
  return move.kind === 'added' ? { ...move, after: texts.get(move.attnum) ?? null } : move
}

/** One transaction: registers the shape and the definition, records the epochs. Null where there was nothing to record. */
async function record(session: Session, { bound, events, shape, epochs }: Plan): Promise<string | null> {
  const { model } = bound
  const { id } =
    epochs.length === 0
      ? { id: null }
      : await openRun(session, {
          command: 'adopt',
          schema: model.schema,
          table: model.table,
          aggregateType: model.name,
          definitionHash: model.hash,
          params: { columns: epochs.map(toldColumn) },
          upperKey: null,
        })
  try {
    await session.transaction({ lockTimeoutMs: LOCK_TIMEOUT_MS }, async () => {
      await installDefinition(session, model, events)
      await session.execute(sql`lock table ${raw(qualified(model.schema, model.table))} in access share mode`)
      await refuseMoved(session, model, shape)
      await recordEpochs(session, model.name, epochs)
      if (id !== null) await finishRun(session, id, 'complete', { result: 'adopted' })
    })
  } catch (error) {
    if (id !== null) {
      const message = error instanceof Error ? error.message : String(error)
      await finishRun(session, id, 'failed', { error: message }).catch(() => undefined)
    }
    throw error
  }
  return id
}

async function refuseMoved(session: Session, model: BoundModel, shape: string): Promise<void> {
  if ((await readRowShape(session, model.schema, model.table, model.key)) === shape) return
  const table = tableName({ schema: model.schema, name: model.table })
  throw new GateError('EW_TABLE_MOVED', `${table}: its columns were changed meanwhile; nothing was adopted`, {
    next: `Run \`eventward adopt ${shellWord(table)}\` again: it looks anew.`,
    details: { table },
  })
}

/** A trigger that was compiled for these names finds them all, and can't see that they are other columns'. */
function noticesOf(epochs: readonly Epoch[]): readonly string[] {
  const renamed = epochs.filter(({ kind }) => kind === 'renamed')
  const exchanged = renamed.filter(({ after }) => renamed.some(({ before }) => before === after))
  if (exchanged.length === 0) return []
  return [
    `${exchanged.map(({ after }) => after).join(', ')}: names that changed hands. What was written meanwhile may stand under the wrong one: verify finds it, verify --repair mends it`,
  ]
}

function toldColumn({ kind, column, before, after }: Epoch) {
  return { kind, column, before, after }
}

function resultOf(
  table: string,
  epochs: readonly Epoch[],
  done: Partial<Pick<AdoptResult, 'run' | 'capture' | 'lockedMs' | 'dryRun'>>,
): AdoptResult {
  const columns = epochs.flatMap((epoch): readonly AdoptedColumn[] =>
    epoch.kind === 'restored' ? [] : [{ ...toldColumn(epoch), kind: epoch.kind }],
  )
  return {
    table,
    columns,
    capture: 'off',
    lockedMs: null,
    run: null,
    dryRun: false,
    notices: noticesOf(epochs),
    ...done,
    next:
      done.dryRun === true ? `eventward adopt ${shellWord(table)}` : `eventward verify ${shellWord(table)}`,
  }
}
