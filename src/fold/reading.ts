import type { BoundModel, StoredVersion, Upcast } from '../definition/index.js'

/**
 * How this code reads a stored (type, schema_version):
 *
 * - `present`: as it is;
 * - `upcast`: as what its upcasts make of it (a function may still fail);
 * - `newer`: newer code wrote it: no event here has that name, or the version is beyond the present one;
 * - `lost`: it's older, and no upcast leads from it to what there is now.
 */
export type Reading = 'present' | 'upcast' | 'newer' | 'lost'

/** Says how this code reads a stored version. Pure. */
export function readingOf(model: BoundModel, version: StoredVersion): Reading {
  if (isPresent(model, version)) return 'present'
  const upcast = upcastFrom(model, version)
  if (upcast !== undefined) return leadsHere(model, upcast, new Set()) ? 'upcast' : 'lost'
  const event = model.events.find(({ type }) => type === version.type)
  return event === undefined || event.schemaVersion < version.schemaVersion ? 'newer' : 'lost'
}

/** Whether an event of this type and version is one that the code declares, or one of residue. */
export function isPresent(
  { events, residue }: Pick<BoundModel, 'events' | 'residue'>,
  { type, schemaVersion }: StoredVersion,
): boolean {
  if (type === residue.changed || type === residue.deleted) return schemaVersion === 1
  return events.some((event) => event.type === type && event.schemaVersion === schemaVersion)
}

export function upcastFrom(
  { upcasts = [] }: Pick<BoundModel, 'upcasts'>,
  { type, schemaVersion }: StoredVersion,
): Upcast | undefined {
  return upcasts.find((upcast) => upcast.type === type && upcast.schemaVersion === schemaVersion)
}

/** A function gives present events, or says that it doesn't when it's run. */
function leadsHere(model: BoundModel, { type, schemaVersion, into }: Upcast, seen: Set<string>): boolean {
  const name = `${type}@${schemaVersion}`
  if (seen.has(name)) return false
  if (typeof into === 'function') return true
  return (
    into.length > 0 &&
    into.every((target) => {
      if (isPresent(model, target)) return true
      const next = upcastFrom(model, target)
      return next !== undefined && leadsHere(model, next, new Set([...seen, name]))
    })
  )
}
