import { createHash } from 'node:crypto'
import type { EventShape } from '../definition/index.js'

/** A shape without its name and effect, which have columns of their own, as JSON text: in the order of writing. Pure. */
export function shapeJson({ data, facts, constants, bound, apply }: EventShape): string {
  // Absent where no code is in it: so were all that are stored already.
  return JSON.stringify({ data, facts, constants, bound, apply })
}

/** SHA-256 (hex) of a shape with its effect: equal where two shapes mean the same. Pure. */
export function shapeHash(shape: EventShape): string {
  return createHash('sha256')
    .update(JSON.stringify([shape.effect, meaning(shape)]))
    .digest('hex')
}

/** What differs between two shapes of one (type, schema_version), in words: `data: +stripe_key -key`. Pure. */
export function shapeChanges(stored: EventShape, declared: EventShape): readonly string[] {
  const before = meaning(stored)
  const after = meaning(declared)
  const effect = stored.effect === declared.effect ? [] : [`effect: ${stored.effect} -> ${declared.effect}`]
  const parts = (['data', 'facts', 'constants', 'bound'] as const).flatMap((part) => {
    const was = before[part].map(words)
    const is = after[part].map(words)
    if (JSON.stringify(was) === JSON.stringify(is)) return []
    const gone = was.filter((item) => !is.includes(item)).map((item) => `-${item}`)
    const come = is.filter((item) => !was.includes(item)).map((item) => `+${item}`)
    const moved = gone.length + come.length === 0 ? [`${was.join(', ')} -> ${is.join(', ')}`] : []
    return [`${NAMES[part]}: ${[...gone, ...come, ...moved].join(' ')}`]
  })
  return [...effect, ...parts, ...applyChange(stored.apply, declared.apply)]
}

function applyChange(was: string | undefined, is: string | undefined): readonly string[] {
  if (was === is) return []
  if (was === undefined) return ['apply: +its code']
  return [is === undefined ? 'apply: -its code' : 'apply: another code, by its source text or version']
}

/** Reads a shape back from what is stored. */
export function parseShape(stored: {
  readonly type: string
  readonly schemaVersion: string
  readonly effect: string
  readonly json: string
}): EventShape {
  // Written by shapeJson only, into a table that is ours.
  const parts = JSON.parse(stored.json) as Meaning
  return {
    type: stored.type,
    schemaVersion: Number(stored.schemaVersion),
    effect: stored.effect as EventShape['effect'],
    data: parts.data,
    facts: parts.facts,
    constants: parts.constants,
    bound: parts.bound,
    ...(parts.apply === undefined ? {} : { apply: parts.apply }),
  }
}

type Meaning = Pick<EventShape, 'data' | 'facts' | 'constants' | 'bound' | 'apply'>

const NAMES = { data: 'data', facts: 'facts', constants: 'set', bound: 'set to the time' } as const

/** In order where the order of writing counts for nothing. Bound columns keep theirs: the first one gives the time. */
function meaning({ data, facts, constants, bound, apply }: EventShape): Meaning {
  return {
    data: data
      .map(({ attribute, column }) => ({ attribute, column }))
      .sort((a, b) => order(a.attribute, b.attribute)),
    facts: [...facts].sort(order),
    constants: constants
      .map(({ column, value }) => ({ column, value }))
      .sort((a, b) => order(a.column, b.column)),
    bound: [...bound],
    ...(apply === undefined ? {} : { apply }),
  }
}

function words(part: Meaning['data'][number] | Meaning['constants'][number] | string): string {
  if (typeof part === 'string') return part
  if ('value' in part) return `${part.column} = ${JSON.stringify(part.value)}`
  return part.attribute === part.column ? part.column : `${part.attribute} from ${part.column}`
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
