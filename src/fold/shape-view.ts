import type { BoundColumn, BoundModel, RowHistory, RowShape, Text } from '../definition/index.js'

/** Columns that were not those of the shape when an event was written, by number: their names then, null where dropped. */
export type Moved = ReadonlyMap<number, string | null>

/** How events that were written under another row shape are read: what their names mean for the live table. */
export interface ShapeView {
  readonly shape: RowShape
  /** The live column that a name of such an event's data means, or undefined: it is gone, or was never one. */
  readonly columnOf: (name: string) => BoundColumn | undefined
  /** What the writer called a live column; undefined where it didn't know of it. */
  readonly nameOf: (column: BoundColumn) => string | undefined
  /** Columns that were added later, with what rows held in them which were there before: a creation starts with it. */
  readonly fills: readonly { readonly column: BoundColumn; readonly text: string }[]
}

/**
 * The view of a shape; of an event that was captured by name (the cold path), with what had moved by then: a name is
 * then that of the table at that moment, and what the compiled code says under the old name of a moved column means
 * nothing, since no column bore it.
 */
export function shapeView(
  model: BoundModel,
  { added }: RowHistory,
  shape: RowShape,
  moved: Moved = NOTHING_MOVED,
): ShapeView {
  const live = new Map(model.columns.map((column) => [column.attnum, column]))
  const then = new Map(shape.columns.map(({ attnum, name }) => [attnum, name]))
  const numbers = new Map([
    ...shape.columns.flatMap(({ attnum, name }) => (moved.has(attnum) ? [] : [[name, attnum] as const])),
    ...[...moved].flatMap(([attnum, name]) => (name === null ? [] : [[name, attnum] as const])),
  ])
  return {
    shape,
    columnOf: (name) => live.get(numbers.get(name) ?? 0),
    nameOf: ({ attnum }) => then.get(attnum),
    fills: added.flatMap(({ attnum, text }) => {
      const column = live.get(attnum)
      return column === undefined || text === null || then.has(attnum) || moved.has(attnum)
        ? []
        : [{ column, text }]
    }),
  }
}

const NOTHING_MOVED: Moved = new Map()

/** What an event's metadata say of the row shape that it was written under. */
export interface WrittenUnder {
  readonly shape: string | null
  readonly moved: Moved
}

/** Reads what the metadata of an event (JSON text) say of it: `shape`, and `columns` where it is `cold`. */
export function writtenUnder(metadata: string): WrittenUnder {
  const { shape, cold, columns } = JSON.parse(metadata) as Readonly<Record<string, unknown>>
  const isCold = cold === true && typeof columns === 'object' && columns !== null && !Array.isArray(columns)
  const moved = isCold
    ? Object.entries(columns).map(([attnum, name]) => [Number(attnum), name as Text] as const)
    : []
  return { shape: typeof shape === 'string' ? shape : null, moved: new Map(moved) }
}

/** The shape of an event: the one that it names, where that is known; else the oldest. */
export function shapeNamed({ shapes }: RowHistory, id: string | null): RowShape | undefined {
  return shapes.find((shape) => shape.id === id) ?? shapes[0]
}
