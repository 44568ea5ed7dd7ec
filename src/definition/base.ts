import type { EventInput } from './aggregate-types.js'

/** What all events of an aggregate have in common. */
export type BaseInput = Pick<EventInput, 'data' | 'facts' | 'set'>

/**
 * An event with what all have in common: carried and set by each that doesn't say itself what becomes of the column. Its
 * own come first, so that they, not the base, tell when a write means it. Pure.
 */
export function withBase(
  event: EventInput,
  base: BaseInput,
): { readonly event: EventInput; readonly inherited: readonly string[] } {
  const own = { data: entries(event.data), set: Object.entries(event.set ?? {}) }
  const said = new Set([...own.data.map(([, column]) => column), ...own.set.map(([column]) => column)])
  const data = entries(base.data).filter(
    ([attribute, column]) => !said.has(column) && !own.data.some(([name]) => name === attribute),
  )
  const set = Object.entries(base.set ?? {}).filter(([column]) => !said.has(column))
  return {
    event: {
      ...event,
      data: Object.fromEntries([...own.data, ...data]),
      set: Object.fromEntries([...own.set, ...set]),
      ...(base.facts === undefined ? {} : { facts: { ...base.facts, ...event.facts } }),
    },
    inherited: [...data.map(([, column]) => column), ...set.map(([column]) => column)],
  }
}

/** Attribute and column. */
export function entries(data: EventInput['data'] = []): readonly (readonly [string, string])[] {
  return isList(data) ? data.map((column) => [column, column] as const) : Object.entries(data)
}

function isList(data: NonNullable<EventInput['data']>): data is readonly string[] {
  return Array.isArray(data)
}
