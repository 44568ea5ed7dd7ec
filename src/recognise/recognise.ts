import type { BoundModel, Row } from '../definition/index.js'
import { recogniseCreation, recogniseUpdate } from './recognise-write.js'
import type { RecogniseContext, RecognisedEvent } from './recognised-event.js'
import { streamOf } from './stream-of.js'

/**
 * recognise(row before, row after) -> events: what one write means.
 *
 * Rows hold every stored column as its output text. A removed row gives `Deleted`; a changed key gives `Deleted` on the
 * old stream and a creation on the new one. What the recognised events leave unexplained travels as residue, so that
 * fold(before, recognise(before, after)) = after, always.
 */
export function recognise(
  model: BoundModel,
  before: Row | null,
  after: Row | null,
  context: RecogniseContext,
): readonly RecognisedEvent[] {
  if (after === null) return before === null ? [] : [deleted(model, before, context)]
  if (before === null) return recogniseCreation(model, after, context)
  if (streamOf(model, before) !== streamOf(model, after)) {
    return [deleted(model, before, context), ...recogniseCreation(model, after, context)]
  }
  return recogniseUpdate(model, before, after, context)
}

function deleted(model: BoundModel, row: Row, { now }: RecogniseContext): RecognisedEvent {
  const type = model.residue.deleted
  return {
    streamId: streamOf(model, row),
    type,
    schemaVersion: 1,
    data: '{}',
    occurredAt: now,
    inferred: true,
  }
}
