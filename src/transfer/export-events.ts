import { createHash, type Hash } from 'node:crypto'
import type { Writable } from 'node:stream'
import { type BoundAggregate, bindAggregate } from '../bind/index.js'
import type { Database, Session } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { ConflictError, StoppedError, UsageError } from '../errors/index.js'
import type { EventsTable } from '../migrate/index.js'
import { sql } from '../sql/index.js'
import { partitionOf, requireEventsTable, storedShapes } from '../store/index.js'
import { eventLine, readPage } from './event-page.js'
import {
  footerOf,
  goOnWith,
  type LineSink,
  newFile,
  type PartialFile,
  readHeaderLine,
  readPartial,
  streamSink,
} from './export-file.js'
import type { ExportFooter, ExportHeader } from './export-header.js'
import { type ExportMasks, type MaskOptions, masksOfExport } from './masks-of-export.js'
import { readHeader, readSource } from './read-header.js'

export interface ExportOptions extends MaskOptions {
  /** A file, made new; or a stream, which is left open. */
  readonly out: string | Writable
  /** Goes on with a file that is there. @default false */
  readonly resume?: boolean
  /** The file of an earlier export: only what that one was not to hold. For a reader, not for an import. */
  readonly since?: string
  /** Leaves out aggregates of which no definition is installed, instead of refusing. @default false */
  readonly installedOnly?: boolean
  /** Where the configuration says that events are; checked against the database. */
  readonly events?: EventsTable
  /** Events read at once. @default 1000 */
  readonly pageSize?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ExportProgress) => void
}

/** Counts and positions are texts. */
export interface ExportProgress {
  readonly events: string
  readonly position: string
  readonly upTo: string
  /** Events in all, as far as the planner knows. */
  readonly total: string
}

export interface ExportResult {
  /** The file; null for a stream. */
  readonly file: string | null
  readonly export: string
  /** In the whole file, whoever wrote them. */
  readonly events: string
  readonly aggregates: readonly string[]
  readonly masks: ExportHeader['masks']
  readonly label: string | null
  readonly sha256: string
  readonly seconds: number
  /** Of this process. */
  readonly eventsPerSecond: number | null
  /** Whether it went on with what an earlier one had written. */
  readonly resumed: boolean
}

/**
 * Writes the events of aggregates as JSON lines in order of position: a header, an event each, and a last line that says
 * how many there are. What one snapshot sees is in it, of all tables the same moment; it's read in pages of short
 * statements, in READ ONLY transactions, with flat memory.
 *
 * Killed, it goes on with the same file (`resume`) and ends with the very lines that one clean run would have written:
 * stored events never change, and what the first snapshot saw is asked for by transaction ids.
 *
 * @throws UsageError EW_EXPORT_EXISTS, EW_EXPORT_FILE, EW_EXPORT_UNREADABLE, EW_EXPORT_OTHER, EW_MASK_SALT, and as
 * `resolveMasks`; ConflictError EW_EXPORT_MOVED; StoppedError EW_STOPPED
 */
export function exportEvents(
  database: Database,
  definitions: readonly AggregateDefinition[],
  options: ExportOptions,
): Promise<ExportResult> {
  return database.session(async (session) => {
    const started = performance.now()
    const events = await requireEventsTable(session, options.events)
    const begun = await partialOf(options)
    const begin = await beginning(session, definitions, { events, options, begun })
    const { header, masks, sink } = begin
    try {
      const footer = begun?.footer ?? (await writeEvents(session, begin, { events, options, begun }))
      const seconds = (performance.now() - started) / 1000
      const made = Number(footer.events) - (begun?.events ?? 0)
      return {
        file: typeof options.out === 'string' ? options.out : null,
        export: header.export,
        events: footer.events,
        aggregates: header.aggregates.map(({ name }) => name),
        masks: masks.said,
        label: header.source.label,
        sha256: footer.sha256,
        seconds,
        eventsPerSecond: made === 0 ? null : Math.round(made / seconds),
        resumed: begun !== null,
      }
    } finally {
      await sink.close()
    }
  })
}

interface Work {
  readonly events: EventsTable
  readonly options: ExportOptions
  readonly begun: PartialFile | null
}

interface Begin {
  readonly header: ExportHeader
  readonly masks: ExportMasks
  readonly sink: LineSink
  /** Of what is written so far. */
  readonly hash: Hash
}

async function partialOf({ resume = false, out }: ExportOptions): Promise<PartialFile | null> {
  if (!resume) return null
  if (typeof out === 'string') return readPartial(out)
  throw new UsageError('EW_EXPORT_RESUME', 'only a file can be gone on with', { next: 'Name one.' })
}

/** The header, written or found, and what is masked by it. */
async function beginning(
  session: Session,
  definitions: readonly AggregateDefinition[],
  { events, options, begun }: Work,
): Promise<Begin> {
  const { header, masks } = await session.transaction(
    { isolation: 'repeatable read', readOnly: true },
    async () => {
      const bound: BoundAggregate[] = []
      for (const definition of await installed(session, definitions, options)) {
        bound.push(await bindAggregate(session, definition, await storedShapes(session, definition.name)))
      }
      const fresh = await readHeader(
        session,
        events,
        bound.map(({ model }) => model),
        await sinceOf(session, options),
      )
      const aggregates = bound.flatMap((one) => {
        const exported = fresh.aggregates.find(({ name }) => name === one.model.name)
        return exported === undefined ? [] : [{ bound: one, exported }]
      })
      const found = await masksOfExport(session, aggregates, options)
      return {
        masks: found,
        header: { ...fresh, masks: found.said, aggregates: fresh.aggregates.map(found.aggregate) },
      }
    },
  )
  if (begun !== null) {
    await refuseOther(session, begun.header, header)
    const sink = await goOnWith(options.out as string, begun.bytes)
    return { header: begun.header, masks, sink, hash: begun.hash }
  }
  const { out } = options
  const sink = typeof out === 'string' ? await newFile(out) : streamSink(out)
  const line = `${JSON.stringify(header)}\n`
  await sink.write(line)
  return { header, masks, sink, hash: createHash('sha256').update(line) }
}

/** A position would be no such moment: who drew a smaller one may commit later. */
async function sinceOf(session: Session, { since }: ExportOptions): Promise<ExportHeader['since']> {
  if (since === undefined) return null
  const earlier = await readHeaderLine(since)
  const { identity } = await readSource(session)
  const { snapshot, restored } = earlier
  const aggregates = earlier.aggregates.map(({ name }) => name)
  if (earlier.source.identity === identity) return { export: earlier.export, snapshot, restored, aggregates }
  throw new UsageError('EW_EXPORT_OTHER', `${since} is of another database, ${earlier.source.database}`, {
    next: 'Name an export of this database.',
  })
}

async function installed(
  session: Session,
  definitions: readonly AggregateDefinition[],
  { installedOnly = false }: ExportOptions,
): Promise<readonly AggregateDefinition[]> {
  if (!installedOnly) return definitions
  const rows = await session.rows<{ name: string }>(sql`
    select aggregate_type as name
    from eventward.aggregates`)
  const known = new Set(rows.map(({ name }) => name))
  return definitions.filter(({ name }) => known.has(name))
}

/** A file is gone on with as it was begun: of the same database, the same aggregates, masked in the same way. */
async function refuseOther(session: Session, begun: ExportHeader, now: ExportHeader): Promise<void> {
  const { identity } = await readSource(session)
  const names = ({ aggregates }: ExportHeader) => aggregates.map(({ name }) => name).join(', ')
  const what =
    begun.source.identity !== identity
      ? `is of another database, ${begun.source.database}`
      : names(begun) !== names(now)
        ? `holds ${names(begun)}, not ${names(now)}`
        : JSON.stringify({ ...begun.masks, salt: null }) !== JSON.stringify({ ...now.masks, salt: null })
          ? 'is masked in another way'
          : begun.since?.snapshot !== now.since?.snapshot
            ? 'begins at another moment (--since)'
            : null
  if (what !== null)
    throw new UsageError('EW_EXPORT_OTHER', `the file ${what}`, {
      next: 'Give the options with which it was begun, or begin another file.',
    })
  if (begun.masks.salt === now.masks.salt) return
  throw new UsageError(
    'EW_MASK_SALT',
    'the file was begun with another salt: one value would have two masks',
    {
      next: 'Set EVENTWARD_MASK_SALT to what it was (without one, an export has a salt that nobody knows), or begin another file.',
    },
  )
}

async function writeEvents(
  session: Session,
  { header, masks, sink, hash }: Begin,
  { events, options, begun }: Work,
): Promise<ExportFooter> {
  let after = begun?.last ?? '0'
  let count = begun?.events ?? 0
  const size = options.pageSize ?? 1_000
  const total = await estimate(session, header)
  for (;;) {
    if (options.signal?.aborted === true) throw stopped(options)
    const page = await session.transaction({ readOnly: true }, () =>
      readPage(session, events, header, { after, size }),
    )
    const lines = page.map((event) => `${eventLine(masks.event(event))}\n`).join('')
    hash.update(lines)
    if (page.length > 0) await sink.write(lines)
    count += page.length
    after = page.at(-1)?.position ?? after
    options.onProgress?.({ events: String(count), position: after, upTo: header.upTo, total })
    if (page.length < size) break
  }
  await refuseArchived(session, events, header)
  const footer = footerOf({ last: after, events: count, hash })
  await sink.write(`${JSON.stringify(footer)}\n`)
  return footer
}

/** What the planner thinks that the partitions hold; of one that was never analysed nobody knows. */
async function estimate(session: Session, { aggregates }: ExportHeader): Promise<string> {
  const { total } = await session.one<{ total: string }>(sql`
    select coalesce(sum(greatest(c.reltuples, 0)::bigint), 0) as total
    from pg_class c
    where c.oid = any (${aggregates.flatMap(({ partition }) => partition ?? [])}::oid[])`)
  return total
}

/** `backfill --restart` detaches the events that a snapshot saw: what was read then ended too early. */
async function refuseArchived(
  session: Session,
  events: EventsTable,
  { aggregates }: ExportHeader,
): Promise<void> {
  for (const { name, schema, table, partition } of aggregates) {
    const now = await partitionOf(session, events, name)
    if (partition === null || (now?.oid === partition && !now.detaching)) continue
    const shown = tableName({ schema, name: table })
    throw new ConflictError('EW_EXPORT_MOVED', `the events of ${shown} were archived during the export`, {
      next: 'Remove the file, and export again once the backfill has ended.',
      details: { table: shown },
    })
  }
}

function stopped({ out }: ExportOptions): StoppedError {
  return new StoppedError('EW_STOPPED', 'the export was stopped', {
    next:
      typeof out === 'string'
        ? `What is written is kept: run it again with --resume to go on with ${out}.`
        : 'Begin it again: to a file it could be gone on with.',
  })
}
