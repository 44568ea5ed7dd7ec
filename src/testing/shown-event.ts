import type { BoundModel } from '../definition/index.js'
import { members } from '../encode/index.js'
import { appendedEvent, attributeTexts, type Meaning, shownText, storedValue } from '../runtime/index.js'
import { describedTexts } from './canonical-text.js'
import type { LooseEvent } from './given-types.js'

/** An event as it's compared and shown: values as commands see them. */
export interface ShownEvent {
  readonly type: string
  readonly data?: Readonly<Record<string, unknown>>
  readonly facts?: Readonly<Record<string, unknown>>
}

/** An event that came out, with its attributes, facts, or the columns that no event explains. */
export function shownEvent(
  model: BoundModel,
  event: { readonly type: string; readonly schemaVersion: number; readonly data: string },
): ShownEvent {
  const shape = model.events.find(({ type }) => type === event.type)
  if (shape === undefined) {
    const columns = Object.entries(residueOf(model, event.data))
    return shown(event.type, Object.fromEntries(columns), {})
  }
  const { data } = appendedEvent(model, '', {
    type: event.type,
    schema_version: String(event.schemaVersion),
    data: event.data,
  })
  const all = Object.entries(data)
  const isFact = ([name]: readonly [string, unknown]) => shape.facts.includes(name)
  return shown(
    event.type,
    Object.fromEntries(all.filter((one) => !isFact(one))),
    Object.fromEntries(all.filter(isFact)),
  )
}

/** An expected event in the same form: what is no value of its column stays as it is, and differs. */
export async function expectedEvent(meaning: Meaning, event: LooseEvent): Promise<ShownEvent> {
  const shape = meaning.model.events.find(({ type }) => type === event.type)
  const data: [string, unknown][] = []
  for (const [name, value] of Object.entries(event.data ?? {})) {
    const column = shape === undefined ? name : shape.data.find(({ attribute }) => attribute === name)?.column
    data.push([name, await expectedValue(meaning, column, value)])
  }
  return shown(event.type, Object.fromEntries(data), plain(event.facts ?? {}))
}

/** A value as commands see it. */
export async function expectedValue(
  meaning: Meaning,
  column: string | undefined,
  value: unknown,
): Promise<unknown> {
  const bound = meaning.model.columns.find(({ name }) => name === column)
  if (bound === undefined || column === undefined || value === undefined) return value
  const named = {
    where: meaning.model.name,
    table: { schema: meaning.model.schema, name: meaning.model.table },
  }
  try {
    const ask = async (requests: Parameters<typeof describedTexts>[0]) => describedTexts(requests)
    const [text = null] = await attributeTexts(ask, meaning, [{ column, value }], named)
    return shownText(bound.encoding, text)
  } catch {
    return value
  }
}

function residueOf(model: BoundModel, data: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    [...members(data)].map(([name, raw]) => {
      const column = model.columns.find((one) => one.name === name)
      return [name, column === undefined ? raw : storedValue(column.encoding, raw)]
    }),
  )
}

type Values = Readonly<Record<string, unknown>>

/** Empty members are left out on both sides. */
function shown(type: string, data: Values, facts: Values): ShownEvent {
  return {
    type,
    ...(Object.keys(data).length === 0 ? {} : { data }),
    ...(Object.keys(facts).length === 0 ? {} : { facts }),
  }
}

/** Facts are stored as JSON. */
function plain(facts: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const text = JSON.stringify(facts, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  return JSON.parse(text) as Readonly<Record<string, unknown>>
}
