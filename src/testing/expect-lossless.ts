import type { AggregateRow, AnyAggregate, BoundModel, Row } from '../definition/index.js'
import { type RecognisedEvent, recognise, streamOf } from '../recognise/index.js'
import { type Meaning, stateOf } from '../runtime/index.js'
import { assertion, requireSame } from './assertion.js'
import { instantIn, localIn } from './in-zone.js'
import { rowTexts } from './row-texts.js'
import { type ShownEvent, shownEvent } from './shown-event.js'
import { ALWAYS, type FindKey, meaningOf } from './world.js'

export interface LosslessOptions {
  /** Whether it's well that no event explains something. @default false */
  readonly allowResidue?: boolean
  /** The key of the row that a lookup finds. @default 1, 2, ... in the order in which the definition names them */
  readonly lookup?: FindKey
}

/** A row as it is, or as it was and became: null before it was made, and after it was removed. */
export type RowOrChange<A extends AnyAggregate> =
  | AggregateRow<A>
  | readonly [before: AggregateRow<A> | null, after: AggregateRow<A> | null]

/** What a row, or a change of one, was recognised as. */
export interface Recognised {
  readonly events: readonly (ShownEvent & { readonly at: string })[]
  /** Columns that no event explains, with what they hold; null where there are none. */
  readonly unexplained: Readonly<Record<string, unknown>> | null
}

/**
 * That rows come back from their events as they were, column by column, and that a declared event explains all of it: a row
 * as a backfill would meet it, a pair as capture would. Without a server: of the two engines this is the one in TypeScript.
 *
 * @example expectLossless(Subscription, [unpaid, active, [active, { ...active, status: 'inactive', deactivated_at }]])
 *
 * @returns what each was recognised as, to be asserted further.
 * @throws AssertionError with a diff where something is lost, or residue is left; UsageError EW_CONSTANT, EW_TESTING_ROW for
 * what is no row of the table.
 */
export function expectLossless<A extends AnyAggregate>(
  definition: A,
  rows: readonly RowOrChange<NoInfer<A>>[],
  { allowResidue = false, lookup }: LosslessOptions = {},
): readonly Recognised[] {
  const meaning = meaningOf(definition, lookup)
  const all = rows.map((row, index) => recognised(meaning, sidesOf(meaning, row), `row ${index + 1}`))
  const left = all.flatMap(({ unexplained }, index) =>
    unexplained === null ? [] : [{ row: index + 1, unexplained }],
  )
  if (left.length > 0 && !allowResidue) throw unexplainedBy(definition.name, left)
  return all
}

interface Sides {
  readonly before: Row | null
  readonly after: Row | null
}

function sidesOf(meaning: Meaning, given: object | readonly (object | null)[]): Sides {
  const [before = null, after = null] = Array.isArray(given)
    ? (given as readonly (object | null)[])
    : [null, given]
  return { before: rowTexts(meaning, before), after: rowTexts(meaning, after) }
}

function recognised(meaning: Meaning, { before, after }: Sides, where: string): Recognised {
  const { model } = meaning
  const events = recognise(model, before, after, {
    now: ALWAYS,
    backfill: before === null,
    ...(model.timeZone === 'UTC'
      ? {}
      : { instantOf: (column, text) => instantIn(model.timeZone, column, text) }),
  })
  const back = folded(meaning, events, { before, after })
  requireSame(`${where} of ${model.name} does not come back from its events`, {
    actual: stateOf(meaning, back),
    expected: stateOf(meaning, after),
  })
  return {
    events: events.map((event) => ({ ...shownEvent(model, event), at: event.occurredAt })),
    unexplained: unexplainedOf(model, events),
  }
}

/** A changed key ends one stream and begins another: what comes back is the row of the last. */
function folded(
  { model, apply }: Meaning,
  events: readonly RecognisedEvent[],
  { before, after }: Sides,
): Row | null {
  const last = after ?? before
  const id = last === null ? '' : streamOf(model, last)
  const start = before !== null && streamOf(model, before) === id ? before : null
  return events
    .filter(({ streamId }) => streamId === id)
    .reduce<Row | null>(
      (row, { type, schemaVersion, data, occurredAt }, index) =>
        apply(row, {
          aggregateId: id,
          version: index + 1,
          type,
          schemaVersion,
          data,
          occurredAt,
          localTime: localIn(model.timeZone, occurredAt),
        }),
      start,
    )
}

function unexplainedOf(model: BoundModel, events: readonly RecognisedEvent[]): Recognised['unexplained'] {
  const residue = events.filter(({ type }) => type === model.residue.changed)
  return residue.length === 0
    ? null
    : Object.assign({}, ...residue.map((event) => shownEvent(model, event).data ?? {}))
}

function unexplainedBy(
  name: string,
  left: readonly { readonly row: number; readonly unexplained: Readonly<Record<string, unknown>> }[],
) {
  const lines = left.map(({ row, unexplained }) => {
    const columns = Object.entries(unexplained).map(
      ([column, value]) => `${column} = ${JSON.stringify(value)}`,
    )
    return `row ${row}: ${columns.join(', ')}`
  })
  const what = `no event of ${name} explains all of these; what is left would be a residue event:`
  return assertion([what, '', ...lines].join('\n'), { actual: left, expected: [] })
}
