import type { BoundModel, Row } from '../definition/index.js'
import { streamId } from '../encode/index.js'

/** The stream of a row: its key's texts. */
export function streamOf(model: BoundModel, row: Row): string {
  return streamId(model.key.map((column) => row[column] ?? ''))
}
