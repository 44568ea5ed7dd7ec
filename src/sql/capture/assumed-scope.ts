import type { BoundModel } from '../../definition/index.js'
import type { Sides } from '../compile-condition.js'
import { boundInstant } from '../compile-recognise.js'
import { type Numbered, type Scope, scopeOf } from '../recognition-scope.js'

/**
 * The names of a recognition, answered in advance: as if exactly this event (or none) were recognised and, but for a
 * `Changed`, nothing left. What the general SQL computes for every write folds to little where the answer is known.
 *
 * @param now SQL of the time of what no column dates.
 */
export function assumedScope(
  model: BoundModel,
  { sides, event, now }: { readonly sides: Sides; readonly event: Numbered | null; readonly now: string },
): Scope {
  const scope = { ...scopeOf(model, sides.before === null, 'assumed'), sides }
  const all = model.events.map((each, n) => ({ n, event: each }))
  const ref = (name: string): string => {
    const n = Number(name.slice(1))
    switch (name[0]) {
      case 'r':
        return String(n === event?.n)
      case 't':
        return `coalesce(${boundInstant(scope, all[n] as Numbered)}, ${now})`
      case 'i':
        return `(${boundInstant(scope, all[n] as Numbered)} is null)`
      case 'u':
        return now
      case 'c':
        return '0'
      default:
        return 'false'
    }
  }
  return { ...scope, ref }
}
