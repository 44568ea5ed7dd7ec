import type { SlotFolder, Slots } from './slot-folder.js'
import type { StoredEvent, StreamProblem } from './stored-event.js'

/** Folds one stream, event by event in order of version, and keeps an eye on it. */
export interface StreamFolder {
  /** The row so far; its slots are reused by `add`. */
  readonly slots: Slots | null
  readonly problem: StreamProblem | null
  readonly events: number
  add(event: StoredEvent): void
}

/** One kind is reported per stream: the one that makes the others meaningless comes first. */
const RANK = { version_gap: 0, unknown_event: 1, not_created: 2 } as const

/** Starts at nothing. */
export function streamFolder(folder: SlotFolder): StreamFolder {
  let slots: Slots | null = null
  let problem: StreamProblem | null = null
  let events = 0
  const meet = (kind: StreamProblem['kind'], version: number) => {
    if (problem === null || RANK[kind] < RANK[problem.kind]) problem = { kind, version }
  }
  return {
    get slots() {
      return slots
    },
    get problem() {
      return problem
    },
    get events() {
      return events
    },
    add(event) {
      events += 1
      if (event.version !== events) meet('version_gap', event.version)
      const shape = folder.shapeOf(event.type, event.schemaVersion)
      if (shape === undefined) meet('unknown_event', event.version)
      else if (shape.effect === 'changes' && slots === null) meet('not_created', event.version)
      slots = folder.apply(slots, event)
    },
  }
}
