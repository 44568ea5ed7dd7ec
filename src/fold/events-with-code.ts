import type { BoundModel } from '../definition/index.js'
import { foldedAs } from './declared-path.js'
import { isPresent, readingOf } from './reading.js'

/**
 * The events (`Credited`, older versions as `Credited@1`) that only TypeScript can fold: of which code says what they do,
 * or what they are read as where nothing else says what they do. Empty for most models. Pure.
 */
export function eventsWithCode(model: BoundModel): readonly string[] {
  const versions = [...model.shapes, ...(model.upcasts ?? [])]
  const names = versions
    .filter((version) => {
      if (foldedAs(model, version) !== null) return false
      // What no code reads either is found to be unknown by both engines.
      return isPresent(model, version) || readingOf(model, version) === 'upcast'
    })
    .map((version) => (isPresent(model, version) ? version.type : `${version.type}@${version.schemaVersion}`))
  return [...new Set(names)]
}
