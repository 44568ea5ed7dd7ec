import { EventwardError } from '../errors/index.js'
import type { SlotFolder, SlotShape, Slots } from './slot-folder.js'
import type { StoredEvent, StreamProblem } from './stored-event.js'

/** One kind is reported per stream: the one that makes the others meaningless comes first. */
const RANK = { version_gap: 0, unknown_event: 1, unreadable: 2, not_created: 3, created_twice: 4 } as const

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
    // Millions pass here: only where code has a part in it is there anything to guard.
    if (shape?.foldable === true && shape.byHand === undefined) this.#fold(event, shape)
    else this.#foldGuarded(event)
  }

  /** Where the definition's own code fails, what else is wrong with the stream is still to be seen. */
  #foldGuarded(event: StoredEvent): void {
    try {
      const read = this.folder.read(event)
      if (read.length === 0) this.#meet('unknown_event', event.version)
      for (const one of read) this.#fold(one, this.folder.shapeOf(one))
    } catch (error) {
      if (!(error instanceof EventwardError)) throw error
      this.#meet('unreadable', event.version, error.message)
    }
  }

  #fold(event: StoredEvent, shape: SlotShape | undefined): void {
    if (shape === undefined) this.#meet('unknown_event', event.version)
    else if (shape.effect !== 'creates' && this.slots === null) this.#meet('not_created', event.version)
    else if (shape.effect === 'creates' && this.slots !== null) this.#meet('created_twice', event.version)
    this.slots = this.folder.apply(this.slots, event)
  }

  #meet(kind: StreamProblem['kind'], version: number, message?: string): void {
    if (this.problem !== null && RANK[kind] >= RANK[this.problem.kind]) return
    this.problem = { kind, version, ...(message === undefined ? {} : { message }) }
  }
}
