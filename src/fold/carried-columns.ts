import { type BoundColumn, type BoundModel, RESIDUE_MEMBER } from '../definition/index.js'
import { members } from '../encode/index.js'
import { shapeNamed, shapeView, writtenUnder } from './shape-view.js'
import type { StoredEvent } from './stored-event.js'

/**
 * What an event that declares nothing carries: residue, as columns of the live table and their values in raw JSON. What it
 * says of columns that are gone is nobody's. Pure.
 */
export function carriedColumns(
  model: BoundModel,
  { data, metadata = '{}' }: Pick<StoredEvent, 'data' | 'metadata'>,
): readonly (readonly [column: BoundColumn, raw: string])[] {
  if (!data.startsWith('{')) return []
  const all = [...members(data)]
  const reserved = all.find(([name]) => name === RESIDUE_MEMBER)?.[1]
  const carried = reserved?.startsWith('{') === true ? [...all, ...members(reserved)] : all
  const columnNamed = columnsThen(model, metadata)
  const found = new Map<BoundColumn, string>()
  for (const [name, raw] of carried) {
    const column = name === RESIDUE_MEMBER ? undefined : columnNamed(name)
    if (column !== undefined) found.set(column, raw)
  }
  return [...found]
}

/** The live column that a name meant when the event was written. */
function columnsThen(model: BoundModel, metadata: string): (name: string) => BoundColumn | undefined {
  const { history, columns } = model
  const live = (name: string) => columns.find((column) => column.name === name)
  if (history === undefined || history === null) return live
  const { shape, moved } = writtenUnder(metadata)
  const then = shapeNamed(history, shape)
  return then === undefined ? live : shapeView(model, history, then, moved).columnOf
}
