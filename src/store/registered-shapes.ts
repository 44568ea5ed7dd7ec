import type { BoundModel, EventShape } from '../definition/index.js'
import { shapeHash } from './shape-json.js'

/**
 * The shapes of a model that are not registered, or with another meaning: nobody could fold an event that was written
 * under one of them. `frozen` is what `frozenShapes` gave. Pure.
 */
export function unregisteredShapes(model: BoundModel, frozen: readonly EventShape[]): readonly EventShape[] {
  const registered = new Map(frozen.map((shape) => [versionOf(shape), shapeHash(shape)]))
  return writtenShapes(model).filter((shape) => registered.get(versionOf(shape)) !== shapeHash(shape))
}

/** The shapes that events of a model are written under: the declared ones and the residual ones. Pure. */
export function writtenShapes(model: BoundModel): readonly EventShape[] {
  const residual = new Set(Object.values(model.residue))
  return [...model.events, ...model.shapes.filter(({ type }) => residual.has(type))]
}

function versionOf({ type, schemaVersion }: EventShape): string {
  return JSON.stringify([type, schemaVersion])
}
