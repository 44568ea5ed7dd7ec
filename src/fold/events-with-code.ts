import type { BoundModel } from '../definition/index.js'

/**
 * The events (`Credited`, older versions as `Credited@1`) of which code says what they do: what the set-based fold can't
 * know. Empty for most models. Pure.
 */
export function eventsWithCode({ shapes, events }: Pick<BoundModel, 'shapes' | 'events'>): readonly string[] {
  return shapes
    .filter(({ apply }) => apply !== undefined)
    .map(({ type, schemaVersion }) =>
      events.some((event) => event.type === type && event.schemaVersion === schemaVersion)
        ? type
        : `${type}@${schemaVersion}`,
    )
}
