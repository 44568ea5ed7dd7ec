import type { SlotFolder, Slots } from './slot-folder.js'
import type { StoredEvent, StreamProblem } from './stored-event.js'

/** One kind is reported per stream: the one that makes the others meaningless comes first. */
const RANK = { version_gap: 0, unknown_event: 1, not_created: 2, created_twice: 3 } as const

/** Folds one stream, event by event in order of version, and keeps an eye on it. Starts at nothing. */
export class StreamFolder {
  /** The row so far; changed in place by `add`. */
  slots: Slots | null = null
  problem: StreamProblem | null = null
  events = 0

  constructor(private readonly folder: SlotFolder) {}

  add(event: StoredEvent): void {
    this.events += 1
    if (event.version !== this.events) this.#meet('version_gap', event.version)
    const shape = this.folder.shapeOf(event)
    if (shape === undefined) this.#meet('unknown_event', event.version)
    else if (shape.effect !== 'creates' && this.slots === null) this.#meet('not_created', event.version)
    else if (shape.effect === 'creates' && this.slots !== null) this.#meet('created_twice', event.version)
    this.slots = this.folder.apply(this.slots, event)
  }

  #meet(kind: StreamProblem['kind'], version: number): void {
    if (this.problem === null || RANK[kind] < RANK[this.problem.kind]) this.problem = { kind, version }
  }
}
