import { join } from './compile-condition.js'
import { type Numbered, recognised, type Scope, timeOf } from './recognition-scope.js'

/**
 * SQL of whether one event comes before another: by time of occurrence, then by order of declaration. Two events that
 * no column dates share one time, so that their order is known here.
 */
export function precedes(scope: Scope, a: Numbered, b: Numbered): string {
  if (a.event.bound.length === 0 && b.event.bound.length === 0) return String(a.n < b.n)
  return `(${timeOf(scope, a)} ${a.n < b.n ? '<=' : '<'} ${timeOf(scope, b)})`
}

/** SQL of how many recognised events come before this one. A count instead of a sort: one expression a branch. */
export function countBefore(scope: Scope, event: Numbered): string {
  const counts = scope.later
    .filter(({ n }) => n !== event.n)
    .map((other) => join([recognised(scope, other), precedes(scope, other, event)], 'and', 'true'))
    .filter((condition) => condition !== 'false')
    .map((condition) => `(${condition})::int4`)
  return counts.length === 0 ? '0' : counts.join(' + ')
}

/** SQL of how many events are recognised. */
export function countAll(scope: Scope): string {
  return scope.later.length === 0
    ? '0'
    : scope.later.map((event) => `${recognised(scope, event)}::int4`).join(' + ')
}

/** SQL of whether none of these recognised events comes after this one. */
export function isLastOf(scope: Scope, event: Numbered, others: readonly Numbered[]): string {
  const none = others
    .filter(({ n }) => n !== event.n)
    .map((other) => join([recognised(scope, other), precedes(scope, event, other)], 'and', 'true'))
    .map((condition) => (condition === 'false' ? 'true' : `not (${condition})`))
  return join(none, 'and', 'true')
}
