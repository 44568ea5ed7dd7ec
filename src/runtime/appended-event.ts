import type { BoundModel, EventShape } from '../definition/index.js'
import { decodeText, members } from '../encode/index.js'
import { carriedColumns } from '../fold/index.js'
import type { Texts } from './caller-connection.js'
import type { AppendedEvent } from './command-types.js'

/** An event as it was read back. Attributes are their columns' texts, but for booleans; facts are what they were. */
export function appendedEvent(model: BoundModel, id: string, texts: Texts): AppendedEvent {
  const type = texts['type'] ?? ''
  const event = {
    aggregate: model.name,
    id,
    version: Number(texts['version']),
    position: texts['position'] ?? '',
    type,
    schemaVersion: Number(texts['schema_version']),
    data: attributesOf(model, texts),
    // No stored value of a column: counts and ids that someone said.
    metadata: JSON.parse(texts['metadata'] ?? '{}') as Readonly<Record<string, unknown>>,
    occurredAt: texts['occurred_at'] ?? '',
    recordedAt: texts['recorded_at'] ?? '',
  }
  Object.defineProperty(event, 'key', { value: keyOf(model, id) })
  for (const [name, value] of Object.entries(event.data)) {
    // Not enumerable: to JSON and to whoever compares it, an event holds each value once.
    if (!(name in event)) Object.defineProperty(event, name, { value })
  }
  // What each type's attributes are is known to the definition, and so to the compiler, alone.
  return Object.freeze(event) as unknown as AppendedEvent
}

/** The key of a stream's row, as commands take it. */
function keyOf({ key, columns }: BoundModel, id: string): Readonly<Record<string, unknown>> {
  const texts = key.length === 1 ? [id] : (JSON.parse(id) as readonly string[])
  const encodings = new Map(columns.map(({ name, encoding }) => [name, encoding]))
  return Object.freeze(
    Object.fromEntries(
      key.map((name, at) => [name, shownText(encodings.get(name) ?? 'text', texts[at] ?? null)]),
    ),
  )
}

/**
 * The declared attributes and facts, by the version of the event; what else travels in one is the aggregate's own matter.
 * Of residue, which declares nothing, the columns that it carries.
 */
function attributesOf(model: BoundModel, texts: Texts): Readonly<Record<string, unknown>> {
  const type = texts['type'] ?? ''
  const data = texts['data'] ?? '{}'
  if (type === model.residue.changed) {
    const carried = carriedColumns(model, { data, metadata: texts['metadata'] ?? '{}' })
    return Object.fromEntries(carried.map(([{ name, encoding }, raw]) => [name, storedValue(encoding, raw)]))
  }
  const shape = shapeOf(model, type, Number(texts['schema_version']))
  const found = data.startsWith('{') ? members(data) : new Map<string, string>()
  const columns = new Map(model.columns.map((column) => [column.name, column]))
  const attributes = (shape?.data ?? []).flatMap(({ attribute, column }) => {
    const raw = found.get(attribute)
    return raw === undefined ? [] : [[attribute, storedValue(columns.get(column)?.encoding ?? 'text', raw)]]
  })
  const facts = (shape?.facts ?? []).flatMap((name) => {
    const raw = found.get(name)
    return raw === undefined ? [] : [[name, JSON.parse(raw) as unknown]]
  })
  return Object.fromEntries([...attributes, ...facts])
}

function shapeOf(
  { events, shapes }: BoundModel,
  type: string,
  schemaVersion: number,
): EventShape | undefined {
  return (
    shapes.find((shape) => shape.type === type && shape.schemaVersion === schemaVersion) ??
    events.find((event) => event.type === type)
  )
}

/** A column's value as commands see it: its text, or true and false. */
export function storedValue(
  encoding: Parameters<typeof decodeText>[0],
  raw: string,
): string | boolean | null {
  const text = decodeText(encoding, raw)
  return encoding === 'boolean' ? shownText(encoding, text) : text
}

export function shownText(
  encoding: Parameters<typeof decodeText>[0],
  text: string | null,
): string | boolean | null {
  if (encoding !== 'boolean' || text === null) return text
  return text === 't'
}
