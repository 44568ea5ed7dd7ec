import type { BoundModel } from '../definition/index.js'
import { EventwardError } from '../errors/index.js'
import { type SlotFolder, type Slots, slotFolder } from './slot-folder.js'
import type { StoredEvent } from './stored-event.js'

/**
 * Blame: the event that last set each column, by column name. A creating event sets all of them (those that it doesn't
 * name to NULL); one with code the columns whose text its code changed. Columns of a row that is gone, or of a stream that
 * never began, have none.
 */
export function lastSetters(
  model: BoundModel,
  events: Iterable<StoredEvent>,
): ReadonlyMap<string, StoredEvent> {
  const folder = slotFolder(model)
  const setters = new Map<string, StoredEvent>()
  let slots: Slots | null = null
  for (const event of events) {
    for (const read of readable(folder, event)) slots = blame(folder, { setters, slots }, event, read)
  }
  return setters
}

function blame(
  folder: SlotFolder,
  { setters, slots }: { readonly setters: Map<string, StoredEvent>; readonly slots: Slots | null },
  event: StoredEvent,
  read: StoredEvent,
): Slots | null {
  const shape = folder.shapeOf(read)
  if (shape === undefined) return slots
  const before: Slots = [...(slots ?? [])]
  const after = applied(folder, slots, read)
  if (shape.effect === 'deletes') {
    setters.clear()
    return null
  }
  if (after === null) return null
  if (shape.effect === 'creates') for (const { name } of folder.columns) setters.set(name, event)
  // A sparse array: what the event sets is what is there afterwards.
  const set: Slots = []
  const { byHand: _, ...declared } = shape
  folder.assign(set, declared, read)
  folder.columns.forEach(({ name }, slot) => {
    if (slot in set || (before[slot] ?? null) !== (after[slot] ?? null)) setters.set(name, event)
  })
  return after
}

/** Code that fails sets nothing. */
function readable(folder: SlotFolder, event: StoredEvent): readonly StoredEvent[] {
  return unlessItFails(() => folder.read(event), [])
}

function applied(folder: SlotFolder, slots: Slots | null, read: StoredEvent): Slots | null {
  return unlessItFails(() => folder.apply(slots, read), slots)
}

function unlessItFails<T>(run: () => T, otherwise: T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof EventwardError) return otherwise
    throw error
  }
}
