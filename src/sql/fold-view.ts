import type { BoundColumn, BoundModel, EventShape, RowShape } from '../definition/index.js'
import { encodeText } from '../encode/index.js'
import { type ShapeView, shapeView } from '../fold/index.js'
import { literal } from './literal.js'

/** SQL of whether an event (alias `e`) was captured by name, while columns had moved. */
export const IS_COLD = `e.metadata -> 'cold' = 'true' and pg_catalog.jsonb_typeof(e.metadata -> 'columns') = 'object'`

/** How SQL reads events of one row shape: their deltas are made in the writer's names and then renamed. */
export interface SqlView {
  readonly shape: RowShape
  /** Of the same meaning for all of them: these need no renaming and no filling. */
  readonly live: boolean
  /** The model with the writer's names: only columns that are still there, with the types that they have now. */
  readonly model: BoundModel
  /** A shape of an event in the writer's names. An attribute of a column that the writer didn't know sets nothing. */
  readonly eventShape: (shape: EventShape) => EventShape
  /** SQL of a delta, in live names. */
  readonly renamed: (delta: string) => string
  /** SQL of what a creation starts with, or null where with NULLs. */
  readonly fills: string | null
}

/** The views of a model's history, the oldest first; of the cold path with `cold`. */
export function sqlViews(model: BoundModel, cold: boolean): readonly SqlView[] {
  const { history } = model
  if (history === undefined || history === null) return []
  return history.shapes.map((shape) => sqlView(model, shapeView(model, history, shape), cold))
}

function sqlView(model: BoundModel, view: ShapeView, cold: boolean): SqlView {
  const nameOf = new Map(model.columns.map((column) => [column.name, view.nameOf(column)]))
  const referred = (name: string) => nameOf.get(name)
  const columns = model.columns.flatMap((column): readonly BoundColumn[] => {
    const name = view.nameOf(column)
    return name === undefined ? [] : [{ ...column, name }]
  })
  const moved = movedNames(model, view)
  return {
    shape: view.shape,
    live: moved.size === 0 && view.fills.length === 0,
    model: { ...model, columns },
    eventShape: (shape) => inNames(shape, referred),
    renamed: cold ? coldRenamed(model, view) : (delta) => renamed(delta, moved),
    fills: cold ? coldFills(view) : plainFills(view),
  }
}

function inNames(shape: EventShape, referred: (name: string) => string | undefined): EventShape {
  return {
    ...shape,
    data: shape.data.map(({ attribute, column }) => ({ attribute, column: referred(column) ?? '' })),
    constants: shape.constants.flatMap(({ column, value }) => {
      const name = referred(column)
      return name === undefined ? [] : [{ column: name, value }]
    }),
    bound: shape.bound.flatMap((column) => referred(column) ?? []),
  }
}

/** Names that don't mean the live column of that name: another one, or none (null). */
function movedNames({ columns }: BoundModel, view: ShapeView): ReadonlyMap<string, string | null> {
  const names = new Set([...view.shape.columns.map(({ name }) => name), ...columns.map(({ name }) => name)])
  return new Map(
    [...names].flatMap((name) => {
      const now = view.columnOf(name)?.name ?? null
      return now === name ? [] : [[name, now] as const]
    }),
  )
}

function renamed(delta: string, moved: ReadonlyMap<string, string | null>): string {
  if (moved.size === 0) return delta
  const gone = [...moved].every(([, now]) => now === null)
  if (gone) return `(${delta} - array[${[...moved.keys()].map(literal).join(', ')}])`
  return `eventward.renamed_members(${delta}, ${jsonLiteral(Object.fromEntries(moved))})`
}

function coldRenamed(model: BoundModel, { shape }: ShapeView): SqlView['renamed'] {
  const known = Object.fromEntries(shape.columns.map(({ attnum, name }) => [attnum, name]))
  const live = Object.fromEntries(model.columns.map(({ attnum, name }) => [attnum, name]))
  return (delta) =>
    `eventward.cold_members(${delta}, ${jsonLiteral(known)}, ${jsonLiteral(live)}, e.metadata -> 'columns')`
}

function plainFills({ fills }: ShapeView): string | null {
  if (fills.length === 0) return null
  const members = fills.map((fill) => memberJson(fill))
  return `${literal(`{${members.join(',')}}`)}::pg_catalog.jsonb`
}

function coldFills({ fills }: ShapeView): string | null {
  if (fills.length === 0) return null
  const members = fills.map((fill) => `"${fill.column.attnum}":{${memberJson(fill)}}`)
  return `eventward.cold_fills(${literal(`{${members.join(',')}}`)}::pg_catalog.jsonb, e.metadata -> 'columns')`
}

function memberJson({ column, text }: ShapeView['fills'][number]): string {
  return `${JSON.stringify(column.name)}:${encodeText(column.encoding, text)}`
}

function jsonLiteral(value: unknown): string {
  return `${literal(JSON.stringify(value))}::pg_catalog.jsonb`
}
