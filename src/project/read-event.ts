import { ConflictError, EventwardError, UsageError } from '../errors/index.js'
import { readingOf } from '../fold/index.js'
import { type AppendedEvent, type EventGround, readEvents } from '../runtime/index.js'
import type { Projection } from './define-projection.js'
import { handles } from './handle-event.js'

type Texts = Readonly<Record<string, string | null>>

/**
 * A stored event as handlers get it: as the code of today would have written it. Several where upcasts split it, none where
 * they lead to events that no rule names.
 *
 * @throws ConflictError EW_PROJECTION_NEWER where newer code wrote it: that code is to write it; UsageError
 * EW_PROJECTION_FAILED where no upcast leads to what there is, or one fails
 */
export function readEvent(
  projection: Pick<Projection, 'name' | 'rules'>,
  { models }: Pick<EventGround, 'models'>,
  row: Texts,
): readonly AppendedEvent[] {
  const model = models.get(row['aggregate_type'] ?? '')
  if (model === undefined) return []
  try {
    return readEvents(model, row).filter((event) => handles(projection, event))
  } catch (cause) {
    if (!(cause instanceof EventwardError)) throw cause
    const version = { type: row['type'] ?? '', schemaVersion: Number(row['schema_version']) }
    const what = `${row['aggregate_type']} ${row['aggregate_id']} v${row['version']} ${version.type}@${version.schemaVersion}`
    const details = { projection: projection.name, position: row['position'], event: what }
    if (readingOf(model, version) === 'newer') {
      throw new ConflictError(
        'EW_PROJECTION_NEWER',
        `projection ${projection.name}: newer code wrote the event at position ${row['position']} (${what}); it's left to that code`,
        { next: 'Run the newer code: it goes on at this event.', details, cause },
      )
    }
    throw new UsageError(
      'EW_PROJECTION_FAILED',
      `projection ${projection.name}: the event at position ${row['position']} (${what}) can't be read: ${cause.message}`,
      { next: cause.next ?? 'Correct the upcast: it goes on at this event.', details, cause },
    )
  }
}
