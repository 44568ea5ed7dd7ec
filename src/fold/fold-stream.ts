import type { BoundModel, Row } from '../definition/index.js'
import { rowOf } from './compile-fold.js'
import { slotFolder } from './slot-folder.js'
import type { StoredEvent, StreamProblem } from './stored-event.js'
import { StreamFolder } from './stream-folder.js'

export interface FoldedStream {
  /** The row as the events have it, or null where they end in nothing. */
  readonly row: Row | null
  /** What is wrong with the stream itself: of several kinds the gravest, at its first version. */
  readonly problem: StreamProblem | null
}

/** Folds the events of one stream, given in order of version. */
export function foldStream(model: BoundModel, events: Iterable<StoredEvent>): FoldedStream {
  const folder = slotFolder(model)
  const stream = new StreamFolder(folder)
  for (const event of events) stream.add(event)
  return { row: rowOf(folder, stream.slots), problem: stream.problem }
}
