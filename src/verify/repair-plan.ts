import type { Session } from '../db/index.js'
import type { BoundColumn, BoundModel, Row } from '../definition/index.js'
import { foldStream } from '../fold/index.js'
import { type Instant, type RecogniseContext, type RecognisedEvent, recognise } from '../recognise/index.js'
import { compileInstants, sql } from '../sql/index.js'
import type { Canonical } from './canonical-texts.js'
import { canonicalTexts } from './canonical-texts.js'
import type { VerifiedTable } from './in-snapshot.js'
import { type Pair, problemOf } from './read-pair.js'

/** What would make a stream explain its row. */
export type RepairPlan =
  /** They agree. */
  | { readonly kind: 'nothing' }
  /** The stream itself is unsound: no event that is appended mends what was before it. */
  | { readonly kind: 'unsound'; readonly message: string }
  /** No event of it, or its events end in nothing: the creation. */
  | { readonly kind: 'create'; readonly events: readonly RecognisedEvent[] }
  /** From what the events give to the row. */
  | { readonly kind: 'change'; readonly events: readonly RecognisedEvent[] }
  /** There is no row. */
  | { readonly kind: 'delete'; readonly events: readonly RecognisedEvent[] }

/** Texts of the fold that are another spelling of the same value, by column: no difference of theirs is repaired. */
export type Spellings = ReadonlyMap<string, Canonical>

/**
 * Asks the server how the folded texts that differ from the row's are spelled canonically. Outside a transaction: a
 * text that is no value of its column would end it.
 */
export async function readSpellings(session: Session, model: BoundModel, pair: Pair): Promise<Spellings> {
  const folded = foldStream(model, pair.events).row
  const { row } = pair
  if (folded === null || row === null) return new Map()
  const asked = model.columns.flatMap((column) => {
    const text = folded[column.name] ?? null
    return text === null || text === row[column.name] ? [] : [{ column, text }]
  })
  const answers = await canonicalTexts(session, asked)
  return new Map(asked.map(({ column, text }, index) => [spelling(column.name, text), answers[index]!]))
}

/** Says what to append: fold -> row is recognised as a write is. Reads only; takes no lock. */
export async function planRepair(
  session: Session,
  source: VerifiedTable,
  pair: Pair,
  spellings: Spellings,
): Promise<RepairPlan> {
  const { model } = source
  const { row, events } = pair
  const problem = problemOf(source, events)
  if (problem !== undefined) return { kind: 'unsound', message: problem.message }
  const folded = respelled(model, foldStream(model, events).row, row, spellings)
  if (row === null && folded === null) return { kind: 'nothing' }
  const context = await contextOf(session, model, row)
  if (row === null) return { kind: 'delete', events: recognise(model, folded, null, context) }
  if (folded === null)
    return { kind: 'create', events: recognise(model, null, row, { ...context, backfill: true }) }
  const changes = recognise(model, folded, row, context)
  return changes.length === 0 ? { kind: 'nothing' } : { kind: 'change', events: changes }
}

function spelling(column: string, text: string): string {
  return JSON.stringify([column, text])
}

function respelled(
  { columns }: BoundModel,
  folded: Row | null,
  row: Row | null,
  spellings: Spellings,
): Row | null {
  if (folded === null || row === null) return folded
  const texts = columns.map(({ name }) => {
    const text = folded[name] ?? null
    const canonical = text === null ? undefined : spellings.get(spelling(name, text))
    return [name, canonical !== undefined && 'text' in canonical ? canonical.text : text] as const
  })
  return Object.fromEntries(texts)
}

/** The clock, and, where the model's zone is another than UTC, what the row's bound columns mean. */
async function contextOf(session: Session, model: BoundModel, row: Row | null): Promise<RecogniseContext> {
  const { now } = await session.one<{ now: string }>(sql`select clock_timestamp()::text as now`)
  if (model.timeZone === 'UTC' || row === null) return { now }
  const dated = model.columns.flatMap((column) => {
    const text = row[column.name] ?? null
    return column.temporal === null || text === null ? [] : [{ column, text }]
  })
  const instants = await readInstants(session, model, dated)
  return { now, instantOf: ({ name }) => instants.get(name) ?? null }
}

async function readInstants(
  session: Session,
  model: BoundModel,
  dated: readonly { readonly column: BoundColumn; readonly text: string }[],
): Promise<ReadonlyMap<string, Instant>> {
  if (dated.length === 0) return new Map()
  const rows = await session.rows<Record<'utc' | 'local', string | null>>(compileInstants(model, dated))
  return new Map(
    rows.flatMap(({ utc, local }, index) => {
      const column = dated[index]?.column
      return column === undefined || utc === null || local === null
        ? []
        : [[column.name, { utc, local }] as const]
    }),
  )
}
