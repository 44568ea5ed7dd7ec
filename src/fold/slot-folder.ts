import type { BoundColumn, BoundModel, EventShape, Text } from '../definition/index.js'
import { RESIDUE_MEMBER } from '../definition/index.js'
import { decodeText, keyOfStream, localOfUtc, members, textOfInstant } from '../encode/index.js'
import type { ByHandFolder } from './apply-by-hand.js'
import { lift } from './lift.js'
import { readingOf } from './reading.js'
import { slotShapes } from './slot-shapes.js'
import type { StoredEvent } from './stored-event.js'

/** A row while it is folded: one text per column of the model, in its order. Changed in place. */
export type Slots = Text[]

/** What an event does, looked up once: the slots that its shape sets and what its data's members mean. */
export interface SlotShape {
  readonly effect: EventShape['effect']
  readonly constants: readonly (readonly [slot: number, value: Text])[]
  readonly bound: readonly (readonly [slot: number, column: BoundColumn])[]
  /** Attribute -> its column's slot (-1: the table has no such column any more); facts -> -1. */
  readonly attributes: ReadonlyMap<string, number>
  /** The slot of a column by the name that the writer had for it; -1 where there is none any more. */
  readonly slotNamed: (name: string) => number
  /** What a creation starts with instead of NULL. */
  readonly fills: readonly (readonly [slot: number, text: string])[]
  /** What code does after that. */
  readonly byHand?: ByHandFolder
  /** False where code did the rest, and this code is not that: the event is lifted first. */
  readonly foldable: boolean
}

/** What names an event's shape. */
export type ShapeKey = Pick<StoredEvent, 'type' | 'schemaVersion' | 'metadata'>

/** Folds events into slots: the fast form behind `compileFold`, used as it is where millions of rows pass. */
export interface SlotFolder {
  readonly columns: readonly BoundColumn[]
  readonly slotOf: ReadonlyMap<string, number>
  /** The shape of an event, or undefined where its (type, schemaVersion) is unknown. */
  readonly shapeOf: (event: ShapeKey) => SlotShape | undefined
  /**
   * The event as it's folded: itself, or, where no shape says what it does, as what its upcasts make of it. Empty where
   * nothing does.
   */
  readonly read: (event: StoredEvent) => readonly StoredEvent[]
  /** Applies an event, read, in place; a creating one makes new slots. What an unknown event does is nothing. */
  readonly apply: (slots: Slots | null, event: StoredEvent) => Slots | null
  /** Writes what an event of this shape sets, and nothing else. */
  readonly assign: (slots: Slots, shape: SlotShape, event: StoredEvent) => void
}

/** Prepares a model for folding: shapes by (type, schema_version), columns by slot. */
export function slotFolder(model: BoundModel): SlotFolder {
  const columns = model.columns
  const slotOf = new Map(columns.map((column, slot) => [column.name, slot]))
  const keySlots = model.key.map((name) => slotOf.get(name) ?? -1)
  const shapeOf = slotShapes(model, slotOf)

  const create = (streamId: string, { fills }: SlotShape): Slots => {
    const slots: Slots = new Array<Text>(columns.length).fill(null)
    const key = keyOfStream(streamId, keySlots.length)
    keySlots.forEach((slot, part) => {
      if (slot >= 0) slots[slot] = key?.[part] ?? null
    })
    for (const [slot, text] of fills) slots[slot] = text
    return slots
  }

  const assign: SlotFolder['assign'] = (slots, shape, event) => {
    for (const [slot, value] of shape.constants) slots[slot] = value
    for (const [slot, column] of shape.bound) slots[slot] = instantText(column, event)
    if (event.data !== '{}') assignData(slots, shape, event.data)
    shape.byHand?.(slots, event)
  }

  const read: SlotFolder['read'] = (event) => {
    if (shapeOf(event)?.foldable === true) return [event]
    return readingOf(model, event) === 'upcast' ? lift(model, event) : []
  }

  /** Attributes before other members, whatever their order in the text: a later one wins. */
  function assignData(slots: Slots, shape: SlotShape, data: string) {
    const carried = objectMembers(data)
    let others = 0
    for (const [name, raw] of carried) {
      const slot = shape.attributes.get(name)
      if (slot === undefined) others += 1
      else setRaw(slots, slot, raw)
    }
    if (others === 0) return
    for (const [name, raw] of carried) {
      if (!shape.attributes.has(name) && name !== RESIDUE_MEMBER) setRaw(slots, shape.slotNamed(name), raw)
    }
    const residue = shape.attributes.has(RESIDUE_MEMBER) ? undefined : carried.get(RESIDUE_MEMBER)
    if (residue === undefined) return
    for (const [name, raw] of objectMembers(residue)) setRaw(slots, shape.slotNamed(name), raw)
  }

  function setRaw(slots: Slots, slot: number, raw: string) {
    const column = columns[slot]
    if (column !== undefined) slots[slot] = decodeText(column.encoding, raw)
  }

  const apply: SlotFolder['apply'] = (before, event) => {
    const shape = shapeOf(event)
    if (shape?.foldable !== true) return before
    if (shape.effect === 'deletes') return null
    const slots = shape.effect === 'creates' ? create(event.aggregateId, shape) : before
    if (slots === null) return null
    assign(slots, shape, event)
    return slots
  }

  return { columns, slotOf, shapeOf, read, apply, assign }
}

const NO_MEMBERS: ReadonlyMap<string, string> = new Map()

/** What is not an object has no members: someone wrote it by hand, and the row will differ. */
function objectMembers(json: string): ReadonlyMap<string, string> {
  return json.startsWith('{') ? members(json) : NO_MEMBERS
}

/** A column that is of no time type any more gets the instant's own text. */
function instantText(column: BoundColumn, event: StoredEvent): Text {
  const local = event.localTime ?? localOfUtc(event.occurredAt)
  return textOfInstant(column.temporal ?? 'timestamptz', event.occurredAt, local)
}
