import { bindAggregate } from '../bind/index.js'
import { type Database, type Session, sqlstateOf } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { StoppedError, shellWord } from '../errors/index.js'
import type { EventsTable } from '../migrate/index.js'
import { compileDryRun, compileGreatestKey, sql, typedKey } from '../sql/index.js'
import {
  frozenShapes,
  type KeyTexts,
  readCapture,
  readEventsTable,
  refuseChangedDefinition,
  requireEventsTable,
} from '../store/index.js'
import type { BackfillOptions, BackfillResult } from './backfill-result.js'
import { epochOf } from './hold-capture.js'
import { lockTable, walkIndex } from './lock-table.js'
import { rateLimit } from './rate-limit.js'
import { readTimeLimits } from './time-limits.js'

/** Waits between two tries of a slice that met a lock. */
const TRIES = 20

/**
 * Counts what a backfill would write, slice by slice, in READ ONLY transactions: nothing is written, no receipt either.
 * Works before `migrate up` as well.
 */
export async function dryRun(
  database: Database,
  definition: AggregateDefinition,
  options: BackfillOptions,
): Promise<BackfillResult> {
  return database.session(async (session) => {
    const slices = await prepare(session, definition, options)
    const table = tableName(definition.table)
    const counts = { rows: 0n, streams: 0n, events: 0n }
    const rate = rateLimit(options.maxRate, () => performance.now())
    const began = performance.now()
    for (let after: KeyTexts | null = null; slices.upTo !== null; ) {
      if (options.signal?.aborted === true) throw stopped(table)
      await new Promise((resolve) => setTimeout(resolve, rate.waitMs()))
      const slice = await slices.next(after)
      counts.rows += BigInt(slice.rows)
      counts.streams += BigInt(slice.streams)
      counts.events += BigInt(slice.events)
      rate.spend(Number(slice.rows))
      const soFar = texts(counts)
      const perSecond = (Number(counts.rows) * 1000) / (performance.now() - began)
      const total = slices.rowEstimate
      options.onProgress?.({
        table,
        ...soFar,
        total,
        estimate: true,
        rate: perSecond,
        etaSeconds: total === null ? null : Math.max(0, (Number(total) - Number(counts.rows)) / perSecond),
        workers: 1,
      })
      if (slice.last === null) break
      after = slice.last
    }
    return {
      table,
      ...texts(counts),
      alreadyThere: String(counts.rows - counts.streams),
      complete: true,
      run: null,
      resumed: false,
      left: [],
      dryRun: true,
      capture: slices.captured ? 'on' : 'off',
    }
  })
}

interface Slices {
  readonly captured: boolean
  readonly upTo: KeyTexts | null
  readonly rowEstimate: string | null
  readonly next: (after: KeyTexts | null) => Promise<SliceRow>
}

interface SliceRow {
  readonly rows: string
  readonly streams: string
  readonly events: string
  readonly last: KeyTexts | null
}

async function prepare(
  session: Session,
  definition: AggregateDefinition,
  options: BackfillOptions,
): Promise<Slices> {
  const events = await installedEvents(session, options)
  const frozen = events === null ? [] : await frozenShapes(session, definition.name)
  const { model, table } = await bindAggregate(session, definition, { frozen })
  if (events !== null) await refuseChangedDefinition(session, model, events)
  const capture = events === null ? null : await readCapture(session, definition.name)
  const key = typedKey(model, table.key?.columns ?? [])
  const limits = await readTimeLimits(session)
  const { now } = await session.one<{ now: string }>(sql`select clock_timestamp()::text as now`)
  const bounds = { readOnly: true, lockTimeoutMs: limits.lockMs, statementTimeoutMs: limits.statementMs }
  const upTo = await session.transaction({ readOnly: true, lockTimeoutMs: limits.lockMs }, async () => {
    await lockTable(session, { model })
    await walkIndex(session)
    const [found] = await session.rows<{ greatest: string }>(compileGreatestKey(model, key))
    return found === undefined ? null : (JSON.parse(found.greatest) as KeyTexts)
  })
  let limit = options.chunkRows ?? 5000
  const next = async (after: KeyTexts | null, tries = 1): Promise<SliceRow> => {
    try {
      return await session.transaction(bounds, async () => {
        await lockTable(session, { model })
        await walkIndex(session)
        const query = compileDryRun({ model, key, events, after, upTo, limit, runStartedAt: now })
        const row = await session.one<Record<keyof SliceRow, string> & { last: string | null }>(query)
        return { ...row, last: row.last === null ? null : (JSON.parse(row.last) as KeyTexts) }
      })
    } catch (error) {
      const state = sqlstateOf(error)
      const again = state === '55P03' || (state === '57014' && limit > 1)
      if (!again || tries >= TRIES || options.signal?.aborted === true) throw error
      if (state === '57014') limit = Math.ceil(limit / 2)
      return next(after, tries + 1)
    }
  }
  return {
    captured: epochOf(capture) !== null,
    upTo,
    rowEstimate: table.rowEstimate,
    next: (after) => next(after),
  }
}

async function installedEvents(session: Session, options: BackfillOptions): Promise<EventsTable | null> {
  if ((await readEventsTable(session)) === null) return null
  return requireEventsTable(session, options.events)
}

function texts(counts: Readonly<Record<'rows' | 'streams' | 'events', bigint>>) {
  return { rows: String(counts.rows), streams: String(counts.streams), events: String(counts.events) }
}

function stopped(table: string): StoppedError {
  return new StoppedError('EW_STOPPED', `${table}: the dry run was stopped; it had written nothing`, {
    next: `Run \`eventward backfill ${shellWord(table)} --dry-run\` again: it begins anew.`,
    details: { table },
  })
}
