import type { BoundModel } from '../definition/index.js'
import { type Slots, slotFolder } from './slot-folder.js'
import type { StoredEvent } from './stored-event.js'

/**
 * Blame: the event that last set each column, by column name. A creating event sets all of them (those that it doesn't
 * name to NULL). Columns of a row that is gone, or of a stream that never began, have none.
 */
export function lastSetters(
  model: BoundModel,
  events: Iterable<StoredEvent>,
): ReadonlyMap<string, StoredEvent> {
  const folder = slotFolder(model)
  const setters = new Map<string, StoredEvent>()
  let alive = false
  for (const event of events) {
    const shape = folder.shapeOf(event)
    if (shape === undefined) continue
    if (shape.effect === 'deletes') {
      alive = false
      setters.clear()
      continue
    }
    if (shape.effect === 'creates') {
      alive = true
      for (const { name } of folder.columns) setters.set(name, event)
    }
    if (!alive) continue
    // A sparse array: what the event sets is what is there afterwards.
    const set: Slots = []
    folder.assign(set, shape, event)
    folder.columns.forEach(({ name }, slot) => {
      if (slot in set) setters.set(name, event)
    })
  }
  return setters
}
