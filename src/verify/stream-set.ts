import { bindAggregate } from '../bind/index.js'
import type { Session } from '../db/index.js'
import { type AggregateDefinition, type BoundModel, tableName } from '../definition/index.js'
import { eventsWithCode } from '../fold/index.js'
import {
  type Between,
  compileTouchedPage,
  compileVerifySet,
  idsSql,
  type Mark,
  type Query,
  touchedSinceSql,
  typedKey,
} from '../sql/index.js'
import { requireEventsTable, storedShapes } from '../store/index.js'
import { chooseEngine } from './choose-engine.js'
import { dataError } from './data-error.js'
import { findings } from './findings.js'
import { inSnapshot, type VerifiedTable } from './in-snapshot.js'
import { replaySet, settled } from './replay-set.js'
import type { Checked, Found } from './stream-check.js'
import { readTableState, verifyMoved } from './table-state.js'
import type { Difference } from './verify-result.js'

/** Some streams of a table, verified with their rows: those that were written to since a moment. */
export interface StreamSet {
  readonly model: BoundModel
  /** `name` in public, `schema.name` elsewhere. */
  readonly table: string
  /** The next ids that have events between two marks, by position, and where to go on; null after the last. */
  readonly touched: (session: Session, between: Omit<Between, 'limit'>) => Promise<Touched | null>
  /** Verifies streams by id, each batch in a READ ONLY transaction of its own. */
  readonly check: (session: Session, ids: readonly string[]) => Promise<Checked>
  /**
   * Verifies what was written to since a mark, within the caller's transaction, which holds the table: one statement
   * (one per stream, where code says what some event does).
   * Raises class 22 where something can't be read.
   */
  readonly checkLocked: (session: Session, mark: Mark) => Promise<Checked>
  /** Describes and stores what differs, under a run; outside of any transaction. */
  readonly keep: (session: Session, run: string, found: readonly Found[]) => Promise<readonly Difference[]>
}

export interface Touched {
  readonly ids: readonly string[]
  readonly events: number
  readonly last: string
}

/** Events of a page: some 0.1 s of work. */
const PAGE = 2_000
/** Streams of a statement. */
const BATCH = 500
/** Described column by column; all are stored. */
const DETAILED = 100

/**
 * Binds a definition and gives what verifies sets of its streams, by the set-based engine.
 *
 * @throws UsageError EW_NOT_MIGRATED and those of `bindAggregate`; GateError EW_VERIFY_MOVED where DDL comes between.
 */
export async function openStreamSet(
  session: Session,
  definition: AggregateDefinition,
  events?: { readonly schema: string; readonly table: string },
): Promise<StreamSet> {
  const stored = await requireEventsTable(session, events)
  const { schema, name, key } = definition.table
  const asked = { schema, table: name, key }
  const state = await readTableState(session, asked)
  const bound = await bindAggregate(session, definition, await storedShapes(session, definition.name))
  if ((await readTableState(session, asked)) !== state)
    throw verifyMoved(tableName(definition.table), 'DDL has changed it')
  const { model } = bound
  const source = { model, key: typedKey(model, bound.table.key?.columns ?? []), events: stored, state }
  const table = tableName(definition.table)
  const { engine } = chooseEngine(model, undefined)
  return {
    model,
    table,
    touched: async (session, between) => {
      const page = await session.one<{ ids: string; events: string; last: string | null }>(
        compileTouchedPage(source, { ...between, limit: PAGE }),
      )
      if (page.last === null) return null
      return { ids: JSON.parse(page.ids) as readonly string[], events: Number(page.events), last: page.last }
    },
    check: (session, ids) => checkIds(session, source, ids),
    checkLocked: async (session, mark) => {
      const touched = touchedSinceSql(source, mark)
      if (engine === 'sql') return ask(session, source, touched)
      const ids = await session.rows<{ id: string }>(touched)
      return settled(
        session,
        source,
        await replaySet(
          session,
          source,
          ids.map(({ id }) => id),
        ),
      )
    },
    keep: async (session, run, found) => {
      const kept = findings({
        describe: { source, engine, table, keysOnly: false },
        scope: { schema: model.schema, table: model.table, aggregateType: model.name, run },
        detailLimit: DETAILED,
      })
      await kept.add(session, { ...NOTHING, found })
      return kept.listed()
    },
  }
}

const NOTHING: Checked = { rows: 0, streams: 0, events: 0, found: [] }

async function checkIds(session: Session, source: VerifiedTable, ids: readonly string[]): Promise<Checked> {
  let sum = NOTHING
  for (let at = 0; at < ids.length; at += BATCH) {
    sum = plus(sum, await checkBatch(session, source, ids.slice(at, at + BATCH)))
  }
  return sum
}

/** Halved where something can't be read, until that stream stands alone. */
async function checkBatch(session: Session, source: VerifiedTable, ids: readonly string[]): Promise<Checked> {
  try {
    if (eventsWithCode(source.model).length > 0) {
      const folded = await inSnapshot(session, source, () => replaySet(session, source, ids))
      return await settled(session, source, folded)
    }
    return await inSnapshot(session, source, () => ask(session, source, idsSql(ids)))
  } catch (error) {
    const message = dataError(error, source.model.columns)
    if (message === undefined) throw error
    const [only] = ids
    if (only !== undefined && ids.length === 1)
      return { ...NOTHING, streams: 1, found: [{ key: only, kind: 'unreadable', message }] }
    const middle = ids.length >> 1
    return plus(
      await checkBatch(session, source, ids.slice(0, middle)),
      await checkBatch(session, source, ids.slice(middle)),
    )
  }
}

async function ask(session: Session, source: VerifiedTable, ids: Query): Promise<Checked> {
  const row = await session.one<Record<'rows' | 'streams' | 'events' | 'found', string>>(
    compileVerifySet(source, ids),
  )
  const found = JSON.parse(row.found) as readonly (readonly [key: string, kind: Found['kind']])[]
  return {
    rows: Number(row.rows),
    streams: Number(row.streams),
    events: Number(row.events),
    found: found.map(([key, kind]) => ({ key, kind })),
  }
}

function plus(a: Checked, b: Checked): Checked {
  return {
    rows: a.rows + b.rows,
    streams: a.streams + b.streams,
    events: a.events + b.events,
    found: [...a.found, ...b.found],
  }
}
