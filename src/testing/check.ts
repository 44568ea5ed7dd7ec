import { EventwardError } from '../errors/index.js'
import { type Rehearsed, stateOf } from '../runtime/index.js'
import { assertion, requireSame } from './assertion.js'
import type { ErrorMatcher, LooseEvent } from './given-types.js'
import type { Seen } from './outcome.js'
import { expectedEvent, expectedValue, type ShownEvent, shownEvent } from './shown-event.js'

type Events = Readonly<Record<string, readonly ShownEvent[]>>

/** @throws AssertionError */
export async function checkEvents(seen: Seen, given: object): Promise<void> {
  const bySlot = seen.only
    ? Object.fromEntries(seen.targets.map(({ slot }) => [slot, given]))
    : (given as Readonly<Record<string, unknown>>)
  const expected: Record<string, readonly ShownEvent[]> = {}
  for (const { slot, meaning } of seen.targets) {
    const events = [(bySlot[slot] ?? []) as LooseEvent | readonly LooseEvent[]].flat()
    expected[slot] = await Promise.all(events.map((event) => expectedEvent(meaning, event)))
  }
  const stranger = Object.keys(bySlot).find((slot) => !(slot in expected))
  if (stranger !== undefined) throw assertion(`the command has no aggregate ${JSON.stringify(stranger)}`, {})
  const all = pick(seen, withoutEmpty(expected))
  if (seen.result === undefined) throw threw(seen.error, 'these events', all)
  const actual = pick(seen, withoutEmpty(eventsOf(seen.result)))
  requireSame('the events are others', { actual, expected: all })
}

/** @throws AssertionError */
export async function checkRow(seen: Seen, given: unknown): Promise<void> {
  if (seen.result === undefined) throw threw(seen.error, 'a row', given)
  const bySlot = seen.only ? null : (given as Readonly<Record<string, unknown>>)
  for (const { slot, meaning } of seen.targets) {
    if (bySlot !== null && !(slot in bySlot)) continue
    const row = (bySlot === null ? given : bySlot[slot]) as Readonly<Record<string, unknown>> | null
    const after = seen.result[slot]?.after ?? null
    const state = stateOf(meaning, after)
    const where = bySlot === null ? 'the row' : `the row (${slot})`
    if (row === null || state === null) {
      const what =
        row === null ? `${where} is there` : `there is no row${bySlot === null ? '' : ` (${slot})`}`
      requireSame(what, { actual: state, expected: row })
      continue
    }
    const expected: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(row)) {
      expected[name] = await expectedValue(meaning, name, value)
    }
    const actual = Object.fromEntries(
      Object.keys(row).map((name) => [name, (state as Readonly<Record<string, unknown>>)[name]]),
    )
    requireSame(`${where} is another`, { actual, expected, hint: unknownDefaults(meaning.table, actual) })
  }
}

/** @throws AssertionError */
export async function checkNothing(seen: Seen): Promise<void> {
  if (seen.result === undefined) throw threw(seen.error, 'nothing to be done', [])
  const actual = pick(seen, withoutEmpty(eventsOf(seen.result)))
  requireSame('events came of it', { actual, expected: pick(seen, {}) })
}

/** @throws AssertionError */
export async function checkThrown(seen: Seen, matchers: readonly ErrorMatcher[]): Promise<void> {
  if (seen.result !== undefined) {
    const actual = pick(seen, withoutEmpty(eventsOf(seen.result)))
    throw assertion('it was not refused', { actual, expected: matchers.map(shownMatcher) })
  }
  const { error } = seen
  const missed = matchers.find((matcher) => !matches(error, matcher))
  if (missed === undefined) return
  throw assertion(`it was refused otherwise than by ${shownMatcher(missed)}: ${shownError(error)}`, {
    actual: shownError(error),
    expected: shownMatcher(missed),
    cause: error,
  })
}

function matches(error: unknown, matcher: ErrorMatcher): boolean {
  if (typeof matcher === 'function') return matcher(error)
  const message = error instanceof Error ? error.message : String(error)
  if (matcher instanceof RegExp) return message.search(matcher) !== -1
  return matcher.startsWith('EW_')
    ? error instanceof EventwardError && error.code === matcher
    : message.includes(matcher)
}

function shownMatcher(matcher: ErrorMatcher): string {
  return typeof matcher === 'function' ? matcher.name || 'the function' : String(matcher)
}

function shownError(error: unknown): string {
  if (error instanceof EventwardError) return `${error.code} ${error.message}`
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

function threw(error: unknown, instead: string, expected: unknown) {
  return assertion(`it was refused instead of ${instead}: ${shownError(error)}`, {
    actual: shownError(error),
    expected,
    cause: error,
  })
}

function eventsOf(result: Readonly<Record<string, Rehearsed>>): Events {
  return Object.fromEntries(
    Object.entries(result).map(([slot, { binding, events }]) => [
      slot,
      events.map((event) => shownEvent(binding.model, event)),
    ]),
  )
}

function withoutEmpty(events: Events): Events {
  return Object.fromEntries(Object.entries(events).filter(([, list]) => list.length > 0))
}

/** Of one aggregate: its list. */
function pick({ only, targets }: Seen, events: Events): Events | readonly ShownEvent[] {
  return only ? (events[targets[0]?.slot ?? ''] ?? []) : events
}

/** What the table fills in by a default is known to a server alone. */
function unknownDefaults(
  table: { readonly columns: readonly { readonly name: string; readonly default: string | null }[] },
  actual: Readonly<Record<string, unknown>>,
): string | undefined {
  const names = table.columns.filter(({ name, default: value }) => value !== null && actual[name] === null)
  if (names.length === 0) return undefined
  const shown = names.map(({ name }) => name).join(', ')
  return `The table has a default for ${shown}: say which, with the option \`defaults\` of \`when\`.`
}
