import type { BoundModel, StoredVersion, Upcast } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { dataOfMembers, membersOf, type RawMembers, stepped, valuesOf, withValues } from './lift-data.js'
import { isPresent, readingOf, upcastFrom } from './reading.js'
import type { StoredEvent } from './stored-event.js'

/** What lifting reads of an event; `data` is jsonb's text output. */
export interface Liftable extends StoredVersion {
  readonly data: string
}

/** An event as the code of today would have written it. */
export type LiftedEvent<E extends Liftable = StoredEvent> = E & {
  /** As it is stored. */
  readonly stored: StoredVersion
  /** Its place among the events that one stored event is read as, from 1, and how many they are. */
  readonly part: number
  readonly parts: number
}

/**
 * An event as the code of today reads it: lifted through the upcasts from its version on; several where it was split.
 * What is stored is not changed, and members that no step names stay, text by text. Pure.
 *
 * @throws UsageError EW_UPCAST_PATH, naming the stored version, where no upcast leads to what the code has (`readingOf` says
 * so before); EW_UPCAST where a function fails or gives what is no event.
 */
export function lift<E extends Liftable>(model: BoundModel, event: E): readonly LiftedEvent<E>[] {
  const { type, schemaVersion } = event
  const stored = { type, schemaVersion }
  const reading = readingOf(model, stored)
  if (reading === 'present') return [{ ...event, stored, part: 1, parts: 1 }]
  if (reading !== 'upcast') throw noPath(model, stored, reading)
  const found = follow(model, { type, schemaVersion, members: membersOf(event.data) }, 0)
  return found.map((one, index) => ({
    ...event,
    type: one.type,
    schemaVersion: one.schemaVersion,
    data: dataOfMembers(one.members),
    stored,
    part: index + 1,
    parts: found.length,
  }))
}

interface Read extends StoredVersion {
  readonly members: RawMembers
}

/** More steps than an event has ever seen: they go round. */
const MOST_STEPS = 1_000

function follow(model: BoundModel, read: Read, steps: number): readonly Read[] {
  if (isPresent(model, read)) return [read]
  const upcast = upcastFrom(model, read)
  if (upcast === undefined || steps > MOST_STEPS) throw noPath(model, read, 'lost')
  const { into } = upcast
  if (typeof into === 'function') {
    return called(model, upcast, into, read).flatMap((one) => follow(model, one, steps + 1))
  }
  return into.flatMap((target) => {
    let { members } = read
    for (const step of target.steps) {
      members = guarded(model, read, () => stepped(model, { from: read, to: target, members }, step))
    }
    return follow(model, { ...target, members }, steps + 1)
  })
}

function called(
  model: BoundModel,
  { type, schemaVersion }: Upcast,
  into: Exclude<Upcast['into'], readonly unknown[]>,
  read: Read,
): readonly Read[] {
  return guarded(model, read, () => {
    const given = [into({ type, schemaVersion, data: valuesOf(model, read, read.members) })].flat()
    return given.map((one) => {
      const event = model.events.find((declared) => declared.type === one.type)
      if (event === undefined) throw new TypeError(`it gave ${JSON.stringify(one.type)}, which is no event`)
      const to = { type: event.type, schemaVersion: one.version ?? event.schemaVersion }
      return { ...to, members: withValues(model, { from: read, to, members: read.members }, one.data) }
    })
  })
}

/** A function of the definition's author: what it throws is told with where it stood. */
function guarded<T>(model: BoundModel, { type, schemaVersion }: StoredVersion, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof UsageError) throw cause
    throw new UsageError(
      'EW_UPCAST',
      `${model.name}.${type}, schema version ${schemaVersion}: its upcast failed: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        next: 'Correct the function: the event is stored, and will be read again.',
        details: { aggregate: model.name, type, schemaVersion },
        cause,
      },
    )
  }
}

function noPath(
  model: BoundModel,
  { type, schemaVersion }: StoredVersion,
  reading: 'newer' | 'lost',
): UsageError {
  const event = model.events.find((declared) => declared.type === type)
  const now =
    event === undefined ? 'this code has no event of that name' : `the present one is ${event.schemaVersion}`
  const how = reading === 'newer' ? 'newer than this code' : 'no upcast leads from it'
  return new UsageError(
    'EW_UPCAST_PATH',
    `${model.name}.${type}, schema version ${schemaVersion}: ${how}; ${now}`,
    {
      next:
        reading === 'newer'
          ? 'Deploy the code that wrote it here too, or say in upcasters what it is read as.'
          : `Add the step: upcasters: { '${type}@${schemaVersion}': { to: ... } }, or an upcast of the event; \`eventward lint\` shows all.`,
      details: { aggregate: model.name, type, schemaVersion, reading },
    },
  )
}
