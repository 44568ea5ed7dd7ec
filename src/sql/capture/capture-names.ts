import { createHash } from 'node:crypto'

/** Names of the functions of a captured aggregate, in the schema eventward. */
export interface CaptureNames {
  readonly slug: string
  readonly before: string
  readonly after: string
  readonly truncate: string
  readonly append: string
  readonly cold: string
  /** Gives the phase, as text: asked by commands and shims under their lock on the table. */
  readonly phase: string
}

/** Every command asks for its own. */
const known = new Map<string, CaptureNames>()

/** Readable, unique, and never longer than PostgreSQL's 63 bytes. */
export function captureNames(aggregateName: string): CaptureNames {
  const found = known.get(aggregateName) ?? namesOf(aggregateName)
  known.set(aggregateName, found)
  return found
}

function namesOf(aggregateName: string): CaptureNames {
  const readable = aggregateName
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 32)
  const slug = `${readable}_${createHash('sha256').update(aggregateName).digest('hex').slice(0, 8)}`
  return {
    slug,
    before: `capture_before_${slug}`,
    after: `capture_after_${slug}`,
    truncate: `capture_truncate_${slug}`,
    append: `capture_append_${slug}`,
    cold: `capture_cold_${slug}`,
    phase: `phase_${slug}`,
  }
}
