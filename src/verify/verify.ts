import { type BoundAggregate, bindAggregate } from '../bind/index.js'
import type { Database, Session } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { GateError, StoppedError, shellWord } from '../errors/index.js'
import { typedKey } from '../sql/index.js'
import {
  finishRun,
  movesText,
  openRun,
  type Partition,
  partitionOf,
  pendingMoves,
  refuseChangedDefinition,
  requireEventsTable,
  restartPending,
  storedShapes,
} from '../store/index.js'
import { checkFully } from './check-fully.js'
import { checkOpen } from './check-open.js'
import { chooseEngine } from './choose-engine.js'
import type { Findings } from './findings.js'
import type { VerifiedTable } from './in-snapshot.js'
import { type LiveSource, liveSource } from './live-source.js'
import { beginProof, endProof } from './proof.js'
import { repair } from './repair.js'
import { readTableState, verifyMoved } from './table-state.js'
import type { VerifyEngine, VerifyProgress, VerifyResult } from './verify-result.js'

export interface VerifyOptions {
  /** @default 'sql', unless code says what some event does: then 'replay' */
  readonly engine?: VerifyEngine
  /** Sessions that check ranges at the same time. @default 2 */
  readonly workers?: number
  /** Ends the run after the ranges at hand; what was found is kept. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: VerifyProgress) => void
  /** Looks again at the stored open mismatches, and at nothing else. @default false */
  readonly open?: boolean
  /** Tells and stores names of columns without values. @default false */
  readonly keysOnly?: boolean
  /** How many differences are told column by column; all are counted. @default 100 */
  readonly detailLimit?: number
  /** Events, or rows, per range. @default 20,000, fewer where a table has more than 7 columns */
  readonly chunkSize?: number
  /**
   * Makes the events explain the rows that differ, then looks again: see `repair`. `dry` says what would be appended,
   * and appends nothing.
   *
   * @default none
   */
  readonly repair?: 'now' | 'dry'
  /** The events table of the configuration: refused where this database keeps them elsewhere. */
  readonly events?: { readonly schema: string; readonly table: string }
}

/** A verify that is about to read: what it reads, what it is told, and its receipt. */
export interface VerifyRun {
  /** The same until `refresh` finds events of a definition that is newer than ours. */
  readonly source: VerifiedTable
  readonly refresh: LiveSource['refresh']
  /** `name` in public, `schema.name` elsewhere. */
  readonly table: string
  readonly engine: VerifyEngine
  readonly workers: number
  readonly id: string
  readonly options: VerifyOptions
}

/**
 * Proves that a table's events explain its rows: fold(all events) = row, for every row and every stream, column by
 * column as canonical text, in ranges of one statement each. Stores what differs until it is gone, and a receipt.
 * Reads rows and events in READ ONLY transactions, each under ACCESS SHARE of the table for as long as one range takes.
 * A full one that is clean, of a captured table that nothing but its writers has changed meanwhile, is kept as the proof
 * that a gate asks for; a failed one takes that away.
 *
 * @throws UsageError EW_ENGINE_SQL, EW_NOT_MIGRATED, EW_DEFINITION_CHANGED, EW_RESTART_PENDING and those of `bindAggregate`; GateError
 * EW_ADOPT_FIRST where a repair is asked for and columns moved that were not adopted;
 * StoppedError EW_STOPPED by `signal`; DatabaseError.
 */
export async function verify(
  database: Database,
  definition: AggregateDefinition,
  options: VerifyOptions = {},
): Promise<VerifyResult> {
  const { source, partition, moved } = await database.session((session) =>
    prepare(session, definition, options),
  )
  const { model } = source
  if (moved !== null && options.repair !== undefined) throw adoptFirst(definition, moved)
  const { engine, because } = chooseEngine(model, options.engine)
  const params = {
    engine,
    open: options.open ?? false,
    workers: options.workers ?? 2,
    ...(options.repair === undefined ? {} : { repair: options.repair }),
  }
  const { id } = await database.session((session) =>
    openRun(session, {
      command: 'verify',
      schema: model.schema,
      table: model.table,
      aggregateType: model.name,
      definitionHash: model.hash,
      params,
      upperKey: null,
    }),
  )
  const live = liveSource(definition, source)
  const run: VerifyRun = {
    get source() {
      return live.current
    },
    refresh: live.refresh,
    table: tableName({ schema: model.schema, name: model.table }),
    engine,
    workers: params.workers,
    id,
    options,
  }
  try {
    const start = params.open
      ? null
      : await database.session((session) => beginProof(session, run, partition))
    const findings = await (params.open ? checkOpen : checkFully)(database, run)
    await database.session((session) => refuseMovedPartition(session, run, partition))
    const told = await repaired(database, run, resultOf(run, findings, partition))
    return await database.session((session) =>
      session.transaction({}, async () => {
        const proven = start === null ? {} : await endProof(session, run, start, findings.differences === 0)
        const result = {
          ...told,
          table: {
            ...told.table,
            ...proven,
            ...(moved === null ? {} : { moved }),
            ...(because === undefined ? {} : { engineBecause: because }),
          },
        }
        await finishRun(session, id, 'complete', outcomeOf(result))
        return result
      }),
    )
  } catch (error) {
    await database
      .session((session) =>
        finishRun(session, id, error instanceof StoppedError ? 'stopped' : 'failed', {
          result: 'unfinished',
          error: error instanceof Error ? error.message : String(error),
        }),
      )
      .catch(() => undefined) // The first error is the one to be told.
    throw error
  }
}

/**
 * What is left after a repair: differences that are gone are closed, the others described anew. No proof of the whole
 * table: the ranges that were clean before were read before the repair.
 */
async function repaired(database: Database, run: VerifyRun, before: VerifyResult): Promise<VerifyResult> {
  const { repair: mode } = run.options
  if (mode === undefined) return before
  if (before.table.notice !== undefined) return { ...before, repairs: [] }
  const repairs = await repair(database, run, { dryRun: mode === 'dry' })
  if (mode === 'dry') return { ...before, repairs }
  const left = await checkOpen(database, run)
  return {
    table: { ...before.table, differences: String(left.differences), clean: left.differences === 0 },
    differences: left.listed(),
    repairs,
  }
}

/** Row by row a repair would say again in each stream what the schema change says once. */
function adoptFirst({ table }: AggregateDefinition, moved: string): GateError {
  const name = tableName(table)
  return new GateError(
    'EW_ADOPT_FIRST',
    `${name}: its columns moved since its events were written (${moved})`,
    {
      next: `Run \`eventward adopt ${shellWord(name)}\`, then verify it again: what differs still is repaired then.`,
      details: { table: name },
    },
  )
}

async function prepare(
  session: Session,
  definition: AggregateDefinition,
  options: VerifyOptions,
): Promise<{
  readonly source: VerifiedTable
  readonly partition: Partition | null
  readonly moved: string | null
}> {
  const events = await requireEventsTable(session, options.events)
  const stored = await storedShapes(session, definition.name)
  const state = await stateOf(session, definition)
  const { model, table }: BoundAggregate = await bindAggregate(session, definition, stored)
  if ((await stateOf(session, definition)) !== state) {
    throw verifyMoved(tableName({ schema: model.schema, name: model.table }), 'DDL has changed it')
  }
  await refuseChangedDefinition(session, model, events)
  const partition = await partitionOf(session, events, model.name)
  if (partition?.detaching === true)
    throw restartPending(tableName({ schema: model.schema, name: model.table }))
  const moves = await pendingMoves(
    session,
    model.name,
    model.columns.map(({ attnum, name, declaredType }) => ({ attnum, name, type: declaredType })),
  )
  return {
    source: { model, key: typedKey(model, table.key?.columns ?? []), events, state },
    partition,
    moved: moves.length === 0 ? null : movesText(moves),
  }
}

/** What the table is, asked before and after the catalog is read: a model of two halves would be none. */
function stateOf(session: Session, { table }: AggregateDefinition): Promise<string> {
  return readTableState(session, { schema: table.schema, table: table.name, key: table.key })
}

/** A restart of the backfill meanwhile archived what was read: half of the answer is about other events. */
async function refuseMovedPartition(
  session: Session,
  { source, table }: VerifyRun,
  before: Partition | null,
): Promise<void> {
  const now = await partitionOf(session, source.events, source.model.name)
  if (now?.oid === before?.oid) return
  throw verifyMoved(table, 'its events were archived or begun')
}

function resultOf(
  { table, engine, id, options }: VerifyRun,
  findings: Findings,
  partition: Partition | null,
): VerifyResult {
  const empty = options.open !== true && findings.streams === 0 && findings.rows > 0
  const why =
    partition === null ? 'no events of this table were ever written' : 'there are no events of this table'
  return {
    table: {
      table,
      engine,
      rows: String(findings.rows),
      streams: String(findings.streams),
      events: String(findings.events),
      differences: String(findings.differences),
      clean: findings.differences === 0,
      proof: false,
      run: id,
      ...(empty
        ? { notice: `nothing is backfilled yet: ${why}. Run \`eventward backfill ${shellWord(table)}\`.` }
        : {}),
    },
    differences: findings.listed(),
  }
}

/** What the receipt keeps. */
function outcomeOf({ table, repairs = [] }: VerifyResult): Readonly<Record<string, unknown>> {
  const { rows, streams, events, differences, clean, proof } = table
  const done = repairs.filter(({ outcome }) => outcome === 'repaired').length
  return {
    // What was repaired is proven by the next full verify.
    result: clean ? (done === 0 ? 'clean' : 'repaired') : 'failed',
    rows,
    streams,
    events,
    differences,
    proof,
    ...(done === 0 ? {} : { repaired: String(done) }),
  }
}
