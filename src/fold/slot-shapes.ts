import type { BoundColumn, BoundModel, EventShape, RowHistory, Text } from '../definition/index.js'
import { decodeText, encodeText } from '../encode/index.js'
import { byHandFolder } from './apply-by-hand.js'
import { type ShapeView, shapeNamed, shapeView, writtenUnder } from './shape-view.js'
import type { ShapeKey, SlotShape } from './slot-folder.js'

type ByVersion = (type: string, schemaVersion: number) => SlotShape | undefined

/**
 * Prepares the shapes of a model: by (type, schema_version), and, where the table's columns have moved since events were
 * written, by the row shape that an event's metadata name. An event without any metadata was made a moment ago.
 */
export function slotShapes(
  model: BoundModel,
  slotOf: ReadonlyMap<string, number>,
): (event: ShapeKey) => SlotShape | undefined {
  const live = byVersion(model, liveNames(slotOf))
  const { history } = model
  if (history === undefined || history === null) return ({ type, schemaVersion }) => live(type, schemaVersion)
  const viewed = views(model, history, slotOf)
  return ({ type, schemaVersion, metadata }) =>
    (metadata === undefined ? live : viewed(metadata))(type, schemaVersion)
}

/** What names mean, as slots: -1 for none. */
interface Names {
  /** Of a column that a shape speaks of, in the live table's name. */
  readonly referred: (column: string) => number
  /** Of a member of an event's data. */
  readonly member: (name: string) => number
  readonly fills: SlotShape['fills']
}

function liveNames(slotOf: ReadonlyMap<string, number>): Names {
  const slot = (name: string) => slotOf.get(name) ?? -1
  return { referred: slot, member: slot, fills: [] }
}

/** There are few of them: one per shape, and one per set of columns that were moved while the cold path captured. */
function views(
  model: BoundModel,
  history: RowHistory,
  slotOf: ReadonlyMap<string, number>,
): (metadata: string) => ByVersion {
  const known = new Map<string, ByVersion>()
  return (metadata) => {
    const { shape: id, moved } = writtenUnder(metadata)
    const key = JSON.stringify([id, [...moved]])
    const found = known.get(key)
    if (found !== undefined) return found
    const shape = shapeNamed(history, id)
    const names =
      shape === undefined
        ? liveNames(slotOf)
        : viewNames(model, shapeView(model, history, shape, moved), slotOf)
    const made = byVersion(model, names)
    known.set(key, made)
    return made
  }
}

function viewNames(model: BoundModel, view: ShapeView, slotOf: ReadonlyMap<string, number>): Names {
  const live = new Map(model.columns.map((column) => [column.name, column]))
  const member = (name: string) => slotOf.get(view.columnOf(name)?.name ?? '') ?? -1
  return {
    member,
    referred: (name) => {
      const column = live.get(name)
      const then = column === undefined ? undefined : view.nameOf(column)
      return then === undefined ? -1 : member(then)
    },
    fills: view.fills.map(({ column, text }) => [slotOf.get(column.name) ?? -1, text] as const),
  }
}

function byVersion(model: BoundModel, names: Names): ByVersion {
  const types = new Map<string, Map<number, SlotShape>>()
  for (const shape of model.shapes) {
    const versions = types.get(shape.type) ?? new Map<number, SlotShape>()
    types.set(shape.type, versions)
    if (!versions.has(shape.schemaVersion)) versions.set(shape.schemaVersion, slotShape(shape, model, names))
  }
  return (type, schemaVersion) => types.get(type)?.get(schemaVersion)
}

/** A frozen shape may name a column that was dropped since: it sets nothing. */
function slotShape(shape: EventShape, model: BoundModel, names: Names): SlotShape {
  return {
    effect: shape.effect,
    constants: shape.constants.flatMap(({ column, value }) => {
      const slot = names.referred(column)
      const from = columnNamed(model, column)
      const to = model.columns[slot]
      return from === undefined || to === undefined ? [] : [[slot, carriedOver(from, to, value)] as const]
    }),
    bound: shape.bound.flatMap((name) => {
      const slot = names.referred(name)
      const column = columnNamed(model, name)
      return slot === -1 || column === undefined ? [] : [[slot, column] as const]
    }),
    attributes: new Map([
      ...shape.facts.map((fact) => [fact, -1] as const),
      ...shape.data.map(({ attribute, column }) => [attribute, names.referred(column)] as const),
    ]),
    slotNamed: names.member,
    fills: names.fills,
    ...codeOf(shape, model),
  }
}

/** The code of a shape is known where the present definition has it: an older one is lifted to that. */
function codeOf(shape: EventShape, model: BoundModel): Pick<SlotShape, 'byHand' | 'foldable'> {
  if (shape.apply === undefined) return { foldable: true }
  const run = model.events.some(
    ({ type, schemaVersion, apply }) =>
      type === shape.type && schemaVersion === shape.schemaVersion && apply === shape.apply,
  )
    ? model.applies?.[shape.type]
    : undefined
  return run === undefined ? { foldable: false } : { foldable: true, byHand: byHandFolder(model, shape, run) }
}

function columnNamed({ columns }: BoundModel, name: string): BoundColumn | undefined {
  return columns.find((column) => column.name === name)
}

/** As the SQL twin has it: written as a member of its own column, read as one of the column that bears the name now. */
function carriedOver(from: BoundColumn, to: BoundColumn, value: Text): Text {
  return from === to ? value : decodeText(to.encoding, encodeText(from.encoding, value))
}
