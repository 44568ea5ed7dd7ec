import type { BoundModel, EventShape, StoredVersion, UpcastStep } from '../definition/index.js'
import { upcastFrom } from './reading.js'

/** As what a stored event is folded: the shape, and the steps that make that shape's data of what is stored. */
export interface FoldedAs {
  readonly shape: EventShape
  readonly steps: readonly UpcastStep[]
}

/**
 * As what each stored version is folded, of which no code is needed to know it: known shapes as they are; what only
 * upcasts lead on from as what they lead to, in order of the parts.
 */
export function declaredPaths(
  model: BoundModel,
): readonly (StoredVersion & { readonly as: readonly FoldedAs[] })[] {
  const known = model.shapes.map(({ type, schemaVersion }) => ({ type, schemaVersion }))
  const beyond = (model.upcasts ?? []).filter(
    (upcast) =>
      !known.some(
        ({ type, schemaVersion }) => type === upcast.type && schemaVersion === upcast.schemaVersion,
      ),
  )
  return [...known, ...beyond].flatMap(({ type, schemaVersion }) => {
    const as = foldedAs(model, { type, schemaVersion })
    return as === null ? [] : [{ type, schemaVersion, as }]
  })
}

/** Null where code has a part in it, or no path leads on. */
export function foldedAs(model: BoundModel, version: StoredVersion): readonly FoldedAs[] | null {
  return follow(model, version, [], 0)
}

/** More steps than an event has ever seen: they go round. */
const MOST_STEPS = 1_000

function follow(
  model: BoundModel,
  version: StoredVersion,
  steps: readonly UpcastStep[],
  depth: number,
): readonly FoldedAs[] | null {
  const shape = model.shapes.find((one) => isOf(one, version))
  // An upcast ends at what the code declares; a stored event at whatever shape it was written under.
  const ends = depth === 0 || isDeclared(model, version)
  if (shape !== undefined && ends) {
    if (shape.apply === undefined) return [{ shape, steps }]
    if (isDeclared(model, version)) return null
  }
  const upcast = upcastFrom(model, version)
  if (upcast === undefined || typeof upcast.into === 'function' || depth > MOST_STEPS) return null
  const all: FoldedAs[] = []
  for (const target of upcast.into) {
    if (target.steps.some(({ op }) => op === 'compute')) return null
    const found = follow(model, target, [...steps, ...target.steps], depth + 1)
    if (found === null) return null
    all.push(...found)
  }
  return all.length === 0 ? null : all
}

function isDeclared({ events, residue }: BoundModel, { type, schemaVersion }: StoredVersion): boolean {
  if (type === residue.changed || type === residue.deleted) return schemaVersion === 1
  return events.some((event) => event.type === type && event.schemaVersion === schemaVersion)
}

function isOf(one: StoredVersion, { type, schemaVersion }: StoredVersion): boolean {
  return one.type === type && one.schemaVersion === schemaVersion
}
