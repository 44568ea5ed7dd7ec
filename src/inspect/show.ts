import type { LoadedConfig } from '../config/index.js'
import { type Database, type Session, sqlstateOf } from '../db/index.js'
import type { Row } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { type Point, RowAtFolder } from '../fold/index.js'
import { sql } from '../sql/index.js'
import { type OpenStream, openStream, streamPages } from './read-stream.js'

/** A row as its events have it at one point. */
export interface Shown {
  readonly aggregate: string
  readonly table: string
  readonly id: string
  /** What was asked for: a version, or an instant as timestamptz text in UTC; null for the latest version. */
  readonly at: Point | null
  /** The last version that counts, 0 for none. */
  readonly version: number
  /** The stream's last version. */
  readonly lastVersion: number
  /** Null where there was no row. */
  readonly row: Row | null
  /** Later versions that lie at or before the time asked for, behind one that lies after it. */
  readonly outOfOrder: readonly number[]
}

/**
 * The row at a version or a time, folded from its events, which are read a page at a time. Reads only.
 *
 * @param input.at a version, a time as PostgreSQL reads it (in UTC where it names no zone), or undefined for now.
 * @throws UsageError EW_AGGREGATE_UNKNOWN, EW_KEY_INVALID, EW_STREAM_UNKNOWN, EW_TIME_INVALID, EW_VERSION_UNKNOWN where
 * the stream does not go so far, EW_NOT_MIGRATED
 */
export function show(
  database: Database,
  config: LoadedConfig,
  input: { readonly aggregate: string; readonly id: string; readonly at: string | undefined },
): Promise<Shown> {
  return database.session(async (session) => {
    const { stream, at } = await session.transaction({ readOnly: true }, async () => {
      const point = input.at === undefined ? null : await parsePoint(session, input.at)
      return { stream: await openStream(session, config, input), at: point }
    })
    const { model, table, id, lastVersion } = stream
    const folder = new RowAtFolder(model, at ?? { version: lastVersion })
    const end = at !== null && 'version' in at ? at.version : lastVersion
    if (end > lastVersion) throw unknownVersion(stream, end)
    for await (const page of streamPages(session, { ...stream, lastVersion: end })) {
      for (const event of page) folder.add(event)
    }
    const { row, version, outOfOrder } = folder.result()
    return { aggregate: model.name, table, id, at, version, lastVersion, row, outOfOrder }
  })
}

function unknownVersion({ model, id, lastVersion }: OpenStream, version: number): UsageError {
  return new UsageError(
    'EW_VERSION_UNKNOWN',
    `${model.name} ${id} has no version ${version}: its last is ${lastVersion}`,
    {
      next: `Give a version from 1 to ${lastVersion}, or leave --at out for the latest.`,
      details: { aggregate: model.name, id, version, lastVersion },
    },
  )
}

async function parsePoint(session: Session, given: string): Promise<Point> {
  if (/^\d{1,9}$/.test(given)) return { version: Number(given) }
  try {
    const { time } = await session.one<{ time: string }>(sql`select ${given}::text::timestamptz as time`)
    return { time }
  } catch (cause) {
    if (!sqlstateOf(cause)?.startsWith('22')) throw cause
    throw new UsageError('EW_TIME_INVALID', `${JSON.stringify(given)} is neither a version nor a time`, {
      next: "Give a version such as 2, or a time such as '2018-03-01 12:00+00'.",
      details: { at: given },
      cause,
    })
  }
}
