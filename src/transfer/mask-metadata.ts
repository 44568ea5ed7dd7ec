import { UsageError } from '../errors/index.js'
import type { MaskHash } from './mask-hash.js'
import { masked } from './masking.js'

/** What eventward itself reads of an event's metadata, or tells of its own work. */
const OWN: ReadonlySet<string> = new Set(
  [
    ['source', 'shape', 'cold', 'columns', 'inferred', 'existing', 'movedFrom', 'movedTo', 'truncated'],
    ['definition', 'writer', 'run', 'repair', 'enqueued', 'imported'],
  ].flat(),
)

/**
 * Masks members of metadata by a hash of their text: who did the same thing twice is still seen. `ip` is a member at the
 * top; a nested one is reached by dots. Where columns are masked, the texts that quote what was written go as well: why
 * a write took the cold path, and metadata that were no JSON.
 *
 * @throws UsageError EW_MASK_METADATA for what eventward needs itself
 */
export function metadataMasking(
  names: readonly string[],
  { hash, quotes }: { readonly hash: MaskHash | null; readonly quotes: boolean },
): (metadata: string) => string {
  const own = names.find((name) => OWN.has(name.split('.')[0] ?? ''))
  if (own !== undefined)
    throw new UsageError('EW_MASK_METADATA', `${own} in the metadata is eventward's own`, {
      next: 'Mask what the application says there: user, ip.',
      details: { member: own },
    })
  const paths = new Set(names)
  const within = (json: string, above: string): string =>
    masked(json, (name, raw) => {
      const path = `${above}${name}`
      if (quotes && above === '' && QUOTING.has(name)) return '"masked"'
      if (paths.has(path) && hash !== null) return raw === 'null' ? raw : JSON.stringify(hash(textOf(raw)))
      const deeper = raw.startsWith('{') && [...paths].some((one) => one.startsWith(`${path}.`))
      return deeper ? within(raw, `${path}.`) : raw
    })
  return (metadata) => (metadata.startsWith('{') ? within(metadata, '') : metadata)
}

const QUOTING: ReadonlySet<string> = new Set(['why', 'unreadable'])

/** A text in quotes and the number of the same digits have one hash. */
function textOf(raw: string): string {
  return raw.startsWith('"') ? (JSON.parse(raw) as string) : raw
}
