import type { BoundColumn, BoundModel, EventShape, Text } from '../definition/index.js'
import { RESIDUE_MEMBER } from '../definition/index.js'
import { decodeText, keyOfStream, localOfUtc, members, textOfInstant } from '../encode/index.js'
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
}

/** Folds events into slots: the fast form behind `compileFold`, used as it is where millions of rows pass. */
export interface SlotFolder {
  readonly columns: readonly BoundColumn[]
  readonly slotOf: ReadonlyMap<string, number>
  /** The shape of an event, or undefined where its (type, schemaVersion) is unknown. */
  readonly shapeOf: (type: string, schemaVersion: number) => SlotShape | undefined
  /** Applies an event in place; a creating one makes new slots. What an unknown event does is nothing. */
  readonly apply: (slots: Slots | null, event: StoredEvent) => Slots | null
  /** Writes what an event of this shape sets, and nothing else. */
  readonly assign: (slots: Slots, shape: SlotShape, event: StoredEvent) => void
}

/** Prepares a model for folding: shapes by (type, schema_version), columns by slot. */
export function slotFolder(model: BoundModel): SlotFolder {
  const columns = model.columns
  const slotOf = new Map(columns.map((column, slot) => [column.name, slot]))
  const keySlots = model.key.map((name) => slotOf.get(name) ?? -1)
  const shapes = shapesByType(model, slotOf)
  const shapeOf = (type: string, schemaVersion: number) => shapes.get(type)?.get(schemaVersion)

  const create = (streamId: string): Slots => {
    const slots: Slots = new Array<Text>(columns.length).fill(null)
    const key = keyOfStream(streamId, keySlots.length)
    keySlots.forEach((slot, part) => {
      if (slot >= 0) slots[slot] = key?.[part] ?? null
    })
    return slots
  }

  const assign: SlotFolder['assign'] = (slots, shape, event) => {
    for (const [slot, value] of shape.constants) slots[slot] = value
    for (const [slot, column] of shape.bound) slots[slot] = instantText(column, event)
    if (event.data !== '{}') assignData(slots, shape, event.data)
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
      if (!shape.attributes.has(name) && name !== RESIDUE_MEMBER) setRaw(slots, slotOf.get(name) ?? -1, raw)
    }
    const residue = shape.attributes.has(RESIDUE_MEMBER) ? undefined : carried.get(RESIDUE_MEMBER)
    if (residue === undefined) return
    for (const [name, raw] of objectMembers(residue)) setRaw(slots, slotOf.get(name) ?? -1, raw)
  }

  function setRaw(slots: Slots, slot: number, raw: string) {
    const column = columns[slot]
    if (column !== undefined) slots[slot] = decodeText(column.encoding, raw)
  }

  const apply: SlotFolder['apply'] = (before, event) => {
    const shape = shapeOf(event.type, event.schemaVersion)
    if (shape === undefined) return before
    if (shape.effect === 'deletes') return null
    const slots = shape.effect === 'creates' ? create(event.aggregateId) : before
    if (slots === null) return null
    assign(slots, shape, event)
    return slots
  }

  return { columns, slotOf, shapeOf, apply, assign }
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

function shapesByType(model: BoundModel, slotOf: ReadonlyMap<string, number>) {
  const types = new Map<string, Map<number, SlotShape>>()
  for (const shape of model.shapes) {
    const versions = types.get(shape.type) ?? new Map<number, SlotShape>()
    types.set(shape.type, versions)
    if (!versions.has(shape.schemaVersion)) versions.set(shape.schemaVersion, slotShape(shape, model, slotOf))
  }
  return types
}

/** A frozen shape may name a column that was dropped since: it sets nothing. */
function slotShape(shape: EventShape, model: BoundModel, slotOf: ReadonlyMap<string, number>): SlotShape {
  return {
    effect: shape.effect,
    constants: shape.constants.flatMap(({ column, value }) => {
      const slot = slotOf.get(column)
      return slot === undefined ? [] : [[slot, value] as const]
    }),
    bound: shape.bound.flatMap((name) => {
      const slot = slotOf.get(name)
      const column = slot === undefined ? undefined : model.columns[slot]
      return slot === undefined || column === undefined ? [] : [[slot, column] as const]
    }),
    attributes: new Map([
      ...shape.facts.map((fact) => [fact, -1] as const),
      ...shape.data.map(({ attribute, column }) => [attribute, slotOf.get(column) ?? -1] as const),
    ]),
  }
}
