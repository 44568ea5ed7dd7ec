import type { BoundModel, EventShape, StoredVersion } from '../definition/index.js'
import { members } from '../encode/index.js'
import { lift, readingOf } from '../fold/index.js'
import type { Said } from './lint-finding.js'

/** A version under which events are stored, and how many (a text: 64 bits). */
export interface StoredCount extends StoredVersion {
  readonly events: string
}

/** Upcasts that lead nowhere, stored versions that no code reads, and upcasts that forget an attribute. Pure. */
export function lintVersions(model: BoundModel, stored: readonly StoredCount[]): readonly Said[] {
  const lost = (model.upcasts ?? []).filter((version) => readingOf(model, version) === 'lost')
  return [
    ...lost.map(
      ({ type, schemaVersion }): Said => ({
        level: 'error',
        rule: 'upcast_nowhere',
        event: type,
        message: `the upcast of ${type}@${schemaVersion} leads to no event of the present version`,
        next: 'Add the steps that follow, or correct the event and version that it leads to.',
      }),
    ),
    ...stored.flatMap((version) => unread(model, version)),
    ...(model.upcasts ?? []).flatMap((version) => incomplete(model, version)),
  ]
}

function unread(model: BoundModel, { type, schemaVersion, events }: StoredCount): readonly Said[] {
  const reading = readingOf(model, { type, schemaVersion })
  if (reading === 'present' || reading === 'upcast') return []
  const name = `${type}@${schemaVersion}`
  const event = model.events.find((declared) => declared.type === type)
  const why =
    event === undefined
      ? 'no event has that name'
      : `${type} is at ${event.schemaVersion}, and no upcast leads there`
  const folds = model.shapes.some((shape) => shape.type === type && shape.schemaVersion === schemaVersion)
  return [
    {
      level: 'error',
      rule: 'stored_version',
      event: type,
      message: `${events} stored events are ${name}, which no code reads: ${why}${folds ? ' (rows are folded by its frozen meaning)' : ''}`,
      next:
        event === undefined
          ? `Say what it is read as: from: ['${type}'] of its successor, or upcasters: { '${name}': { to: ... } }.`
          : `Add upcast: { ${schemaVersion}: { ... } } to ${type}, or upcasters: { '${name}': ... }.`,
    },
  ]
}

/** Where declared steps alone lead: an attribute of the present event that the old one doesn't come to have. */
function incomplete(model: BoundModel, version: StoredVersion): readonly Said[] {
  const shape = model.shapes.find((one) => isOf(one, version))
  if (shape === undefined || readingOf(model, version) !== 'upcast' || hasCode(model, version, 0)) return []
  const names = [...shape.facts, ...shape.data.map(({ attribute }) => attribute)]
  const data = `{${names.map((name) => `${JSON.stringify(name)}: null`).join(', ')}}`
  return lift(model, { ...version, data }).flatMap((lifted): readonly Said[] => {
    const event = model.events.find(({ type }) => type === lifted.type)
    const has = members(lifted.data)
    const missing = [
      ...(event?.facts ?? []),
      ...(event?.data ?? []).map(({ attribute }) => attribute),
    ].filter((name) => !has.has(name))
    if (missing.length === 0) return []
    return [
      {
        level: 'warning',
        rule: 'upcast_incomplete',
        event: lifted.type,
        message: `${version.type}@${version.schemaVersion} is read as ${lifted.type} without ${missing.join(', ')}`,
        next: `Add what is to be read in it: add: { ${missing[0]}: null }.`,
      },
    ]
  })
}

/** Longer chains than this go round. */
const MOST_STEPS = 100

function hasCode(model: BoundModel, version: StoredVersion, steps: number): boolean {
  const upcast = model.upcasts?.find((one) => isOf(one, version))
  if (upcast === undefined) return false
  if (typeof upcast.into === 'function' || steps > MOST_STEPS) return true
  return upcast.into.some(
    (target) => target.steps.some(({ op }) => op === 'compute') || hasCode(model, target, steps + 1),
  )
}

function isOf(one: StoredVersion | EventShape, { type, schemaVersion }: StoredVersion): boolean {
  return one.type === type && one.schemaVersion === schemaVersion
}
