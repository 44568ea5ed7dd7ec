import { bindAggregate } from '../bind/index.js'
import { sqlstateOf } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { type ColumnChange, HistoryFolder, readingOf, rowAt, type StoredEvent } from '../fold/index.js'
import { streamOf } from '../recognise/index.js'
import { localTimeSql, qualified, raw, sql } from '../sql/index.js'
import { storedShapes } from '../store/index.js'
import type { ShownRow } from './any-command.js'
import { appendedEvent } from './appended-event.js'
import type { Texts } from './caller-connection.js'
import { readingSession } from './caller-session.js'
import { invalid } from './command-errors.js'
import { type Reading, wholeKey } from './find-row.js'
import { stateOf } from './planned-rows.js'
import { readEvents } from './read-events.js'

/** A version, or a time as PostgreSQL reads it (in UTC where it names no zone). */
export type Point = number | string

/** A column's text before and after an event; null for SQL NULL, or where there was no row. */
export type Change = ColumnChange

/**
 * The events of a stream as the code of today sees them, each with what it changed. One that upcasts split is several, of
 * which the first bears all that it changed; one that this code can't read, or that upcasts drop, is as it was stored.
 */
export async function streamHistory(
  reading: Reading,
  definition: AggregateDefinition,
  key: Readonly<Record<string, unknown>>,
) {
  const { model, id, events } = await readStream(reading, definition, key)
  const folder = new HistoryFolder(model)
  return Object.freeze(
    events.flatMap((texts) => {
      const { event: stored, changed, residue } = folder.add(storedEvent(id, texts))
      const { type, schemaVersion } = stored
      const read = ['present', 'upcast'].includes(readingOf(model, stored))
        ? readEvents(model, { ...texts, aggregate_id: id })
        : []
      const seen = read.length === 0 ? [appendedEvent(model, id, texts)] : read
      return seen.map((event, part) => {
        const more = {
          changed: part === 0 ? changed : [],
          residue,
          inferred: event.metadata['inferred'] === true,
          stored: Object.freeze({ type, schemaVersion }),
        }
        // A copy of the accessors too, which are not enumerable.
        return Object.freeze(Object.defineProperties({ ...more }, Object.getOwnPropertyDescriptors(event)))
      })
    }),
  )
}

/** The row at a version or a time. */
export async function streamAt(
  reading: Reading,
  definition: AggregateDefinition,
  { key, point }: { readonly key: Readonly<Record<string, unknown>>; readonly point: Point },
): Promise<ShownRow | null> {
  const { model, id, events } = await readStream(reading, definition, key)
  const at = typeof point === 'number' ? { version: point } : { time: await instant(reading, point) }
  const { row } = rowAt(
    model,
    events.map((texts) => storedEvent(id, texts)),
    at,
  )
  return stateOf({ ...reading.binding, model }, row)
}

async function readStream(
  reading: Reading,
  definition: AggregateDefinition,
  key: Readonly<Record<string, unknown>>,
) {
  const { connection, binding } = reading
  const session = readingSession(connection)
  // With the row shapes under which events were written: a command's own binding doesn't need to know them.
  const { model } = await bindAggregate(session, definition, await storedShapes(session, definition.name))
  const id = streamOf(model, await wholeKey(reading, key))
  const { schema, table } = binding.events
  const events = await session.rows<Record<string, string | null>>(sql`
    select e.position, e.version, e.type, e.schema_version, e.data, e.metadata, e.occurred_at, e.recorded_at,
      ${raw(localTimeSql(model))} as local_time
    from ${raw(qualified(schema, table))} as e
    where e.aggregate_type = ${model.name}::text
      and e.aggregate_id = ${id} collate "C"
    order by e.version`)
  return { model, id, events }
}

function storedEvent(id: string, texts: Texts): StoredEvent {
  return {
    aggregateId: id,
    version: Number(texts['version']),
    type: texts['type'] ?? '',
    schemaVersion: Number(texts['schema_version']),
    data: texts['data'] ?? '{}',
    occurredAt: texts['occurred_at'] ?? '',
    localTime: texts['local_time'] ?? null,
    metadata: texts['metadata'] ?? '{}',
  }
}

async function instant({ connection, named }: Reading, given: string): Promise<string> {
  try {
    const { time } = await readingSession(connection).one<{ time: string }>(
      sql`select ${given}::text::timestamptz as time`,
    )
    return time
  } catch (error) {
    if (!sqlstateOf(error)?.startsWith('22')) throw error
    throw invalid(named, [{ message: `${JSON.stringify(given)} is neither a version nor a time` }])
  }
}
