import type { ApplyFunction, BoundColumn, BoundModel, EventShape, Text } from '../definition/index.js'
import { EventwardError, UsageError } from '../errors/index.js'
import { membersOf, valuesOf } from './lift-data.js'
import type { StoredEvent } from './stored-event.js'

/** Lays what an event's code gives over the row, in place: one text per column of the model. */
export type ByHandFolder = (slots: Text[], event: StoredEvent) => void

/**
 * Prepares the code of an event. It gets the row as the event's `data` and `set` leave it, and gives the columns that it
 * changes, or all of them.
 *
 * @throws UsageError EW_APPLY (the folder) where the code fails, or gives what is no value of a column, or another key.
 */
export function byHandFolder(model: BoundModel, shape: EventShape, run: ApplyFunction): ByHandFolder {
  const slotOf = new Map(model.columns.map(({ name }, slot) => [name, slot]))
  const declared = new Set([...shape.facts, ...shape.data.map(({ attribute }) => attribute)])
  return (slots, event) => {
    const { type, aggregateId: id, occurredAt } = event
    const members = new Map([...membersOf(event.data)].filter(([name]) => declared.has(name)))
    const state = Object.fromEntries(
      model.columns.map((column, slot) => [column.name, shown(column, slots[slot] ?? null)]),
    )
    const refuse = refusal(model, event)
    let given: Readonly<Record<string, unknown>>
    try {
      given = run(state, { type, id, data: valuesOf(model, shape, members), occurredAt })
    } catch (cause) {
      throw refuse(`its apply failed: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
    }
    if (typeof given !== 'object' || given === null) throw refuse('its apply gave no columns')
    for (const [name, value] of Object.entries(given)) {
      if (value === undefined) continue
      const slot = slotOf.get(name)
      const column = model.columns[slot ?? -1]
      if (slot === undefined || column === undefined)
        throw refuse(`its apply gave ${name}, which is no column`)
      const text = textOf(column, value)
      if (text === undefined) throw refuse(`its apply gave what is no value of ${name}`)
      if (model.key.includes(name) && text !== slots[slot])
        throw refuse(`its apply changes ${name}, which is the key`)
      slots[slot] = text
    }
  }
}

function shown({ encoding }: BoundColumn, text: Text): string | boolean | null {
  return encoding === 'boolean' && text !== null ? text === 't' : text
}

const PLAIN_NUMBER = /^-?\d+(\.\d+)?$/

/** The column's text of a value that code gave; undefined where it's none. Numbers that JavaScript holds exactly only. */
function textOf(column: BoundColumn, value: unknown): Text | undefined {
  if (value === null) return null
  if (typeof value === 'boolean') return column.encoding === 'boolean' ? (value ? 't' : 'f') : undefined
  if (typeof value === 'bigint') return scaled(column, String(value))
  if (typeof value === 'number') {
    const text = String(value)
    const exact = PLAIN_NUMBER.test(text) && (!Number.isInteger(value) || Number.isSafeInteger(value))
    return exact ? scaled(column, Object.is(value, -0) ? '0' : text) : undefined
  }
  return typeof value === 'string' ? scaled(column, value) : undefined
}

/** `1.5` in a numeric(10,2) is written `1.50`. */
function scaled({ declaredType, encoding }: BoundColumn, text: string): string {
  const scale = encoding === 'number' ? /^numeric\(\d+,(\d+)\)$/.exec(declaredType)?.[1] : undefined
  if (scale === undefined || !PLAIN_NUMBER.test(text)) return text
  const [whole = '', fraction = ''] = text.split('.')
  return Number(scale) <= fraction.length ? text : `${whole}.${fraction.padEnd(Number(scale), '0')}`
}

function refusal(model: BoundModel, { type, schemaVersion, version, aggregateId }: StoredEvent) {
  return (what: string, cause?: unknown): EventwardError =>
    cause instanceof EventwardError
      ? cause
      : new UsageError('EW_APPLY', `${model.name}.${type}, schema version ${schemaVersion}: ${what}`, {
          next: 'Correct the apply of the event: it must do with whatever row and event there may be.',
          details: { aggregate: model.name, type, schemaVersion, stream: aggregateId, version },
          cause,
        })
}
