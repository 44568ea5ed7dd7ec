import type { Knex } from 'knex'
import { UsageError } from '../errors/index.js'
import { type GivenEvent, rehearse, type Target, targetsOf } from '../runtime/index.js'
import { describedTexts } from './canonical-text.js'
import { checkEvents, checkNothing, checkRow, checkThrown } from './check.js'
import type { ErrorMatcher, LooseEvent, LooseEvents } from './given-types.js'
import { outcomeOf, type Seen } from './outcome.js'
import { ALWAYS, defaultTexts, type FindKey, meaningOf, momentOf, noTransaction } from './world.js'

/** What has happened, as it was given. */
export interface Past {
  /** The aggregate or the command whose events these are; null where the command will tell. */
  readonly subject: object | null
  readonly events: LooseEvents
}

export interface Called {
  readonly command: object
  readonly input: unknown
  readonly options: Options
}

interface Options {
  readonly now?: string
  readonly lookup?: FindKey
  readonly trx?: Knex.Transaction
  readonly defaults?: Readonly<Record<string, unknown>>
  readonly expectedVersion?: number
  readonly expectedVersions?: Readonly<Record<string, number>>
}

/** The command, carried out once, when it's first asked what came of it. */
export function rehearsed(past: Past, called: Called) {
  let carriedOut: Promise<Seen> | undefined
  const seen = () => {
    carriedOut ??= carryOut(past, called)
    return carriedOut
  }
  return {
    // biome-ignore lint/suspicious/noThenProperty: given, when, then. What is awaited without an expectation fails.
    then(events: object, reject?: (reason: unknown) => unknown): Promise<unknown> {
      if (typeof events === 'object') return seen().then((one) => checkEvents(one, events))
      return Promise.reject(nothingExpected()).catch(reject)
    },
    thenRow: (row: unknown) => seen().then((one) => checkRow(one, row)),
    thenNothing: () => seen().then(checkNothing),
    thenThrows: (...matchers: readonly ErrorMatcher[]) => seen().then((one) => checkThrown(one, matchers)),
    outcome: () => seen().then(outcomeOf),
  }
}

async function carryOut(past: Past, { command, input, options }: Called): Promise<Seen> {
  const targets = targetsOf(command)
  const only = 'aggregate' in command
  const streams = givenBySlot(past, { targets, only })
  const ofSlot = <T>(one: T | undefined, bySlot: Readonly<Record<string, T>> | undefined, slot: string) =>
    only ? one : bySlot?.[slot]
  const about = {
    only,
    targets: targets.map(({ slot, aggregate }) => ({ slot, meaning: meaningOf(aggregate, options.lookup) })),
  }
  try {
    const result = await rehearse(command, {
      input,
      streams: ({ slot, aggregate }) => {
        const binding = meaningOf(aggregate, options.lookup)
        const { defaults } = options
        const given = ofSlot(defaults, defaults as Readonly<Record<string, Options['defaults']>>, slot)
        return {
          binding,
          given: (streams[slot] ?? []).map(
            ({ at, ...event }): GivenEvent =>
              at === undefined ? event : { ...event, at: momentOf(at, binding) },
          ),
          now: momentOf(options.now ?? ALWAYS, binding),
          defaults: defaultTexts(binding, given ?? {}),
        }
      },
      texts: async (requests) => describedTexts(requests),
      trx: options.trx ?? noTransaction,
      expectedVersions: Object.fromEntries(
        targets.map(({ slot }) => [slot, ofSlot(options.expectedVersion, options.expectedVersions, slot)]),
      ),
    })
    return { ...about, result }
  } catch (error) {
    // Of the test, and not of the command.
    if (error instanceof UsageError && error.code.startsWith('EW_TESTING_')) throw error
    return { ...about, error }
  }
}

function givenBySlot(
  { subject, events }: Past,
  { targets, only }: { readonly targets: readonly Target[]; readonly only: boolean },
): Readonly<Record<string, readonly LooseEvent[]>> {
  refuseOthers(subject, targets)
  if (isList(events)) {
    if (events.length > 0 && !only) {
      throw wrongGiven('the command has several aggregates, and the events are one list')
    }
    return Object.fromEntries(targets.map(({ slot }) => [slot, events]))
  }
  const stranger = Object.keys(events).find((slot) => only || !targets.some((one) => one.slot === slot))
  if (stranger !== undefined) throw wrongGiven(`the command has no aggregate ${JSON.stringify(stranger)}`)
  return events
}

function refuseOthers(subject: object | null, targets: readonly Target[]): void {
  if (subject === null) return
  const named: readonly unknown[] =
    'aggregates' in subject
      ? Object.values(subject.aggregates as object)
      : ['aggregate' in subject ? subject.aggregate : subject]
  const known: readonly unknown[] = targets.map(({ aggregate }) => aggregate)
  if (named.some((aggregate) => !known.includes(aggregate))) {
    throw wrongGiven('the events are of another aggregate than the command')
  }
}

function isList(events: LooseEvents): events is readonly LooseEvent[] {
  return Array.isArray(events)
}

function nothingExpected(): UsageError {
  return new UsageError('EW_TESTING_EXPECTATION', 'nothing is expected of the command', {
    next: 'Go on with .then([...]), .thenRow(...), .thenNothing() or .thenThrows(...), or ask for its .outcome().',
  })
}

function wrongGiven(what: string): UsageError {
  return new UsageError('EW_TESTING_GIVEN', what, {
    next: 'Give the events of each aggregate that the command is about, under the name that it has there.',
  })
}
