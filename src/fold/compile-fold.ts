import type { BoundModel, Row } from '../definition/index.js'
import { type SlotFolder, type Slots, slotFolder } from './slot-folder.js'
import type { StoredEvent } from './stored-event.js'

/** row, event -> row; null is "no row". Changes neither. */
export type Folder = (row: Row | null, event: StoredEvent) => Row | null

/**
 * Prepares a model: the function that says what one event makes of a row. An event whose (type, schemaVersion) the
 * model doesn't know leaves the row as it is (`foldStream` reports it); so does a change of nothing.
 *
 * @throws UsageError EW_APPLY, EW_UPCAST (the function) where the definition's own code fails.
 *
 * @example const apply = compileFold(model); events.reduce(apply, null)
 */
export function compileFold(model: BoundModel): Folder {
  const folder = slotFolder(model)
  return (row, event) => {
    let slots = row === null ? null : slotsOf(folder, row)
    for (const read of folder.read(event)) slots = folder.apply(slots, read)
    return rowOf(folder, slots)
  }
}

/** What one event makes of a row. Prepares the model each time: for many events take `compileFold` or `foldStream`. */
export function fold(model: BoundModel, row: Row | null, event: StoredEvent): Row | null {
  return compileFold(model)(row, event)
}

export function rowOf(folder: SlotFolder, slots: Slots | null): Row | null {
  if (slots === null) return null
  return Object.fromEntries(folder.columns.map(({ name }, slot) => [name, slots[slot] ?? null]))
}

function slotsOf(folder: SlotFolder, row: Row): Slots {
  return folder.columns.map(({ name }) => (Object.hasOwn(row, name) ? (row[name] ?? null) : null))
}
