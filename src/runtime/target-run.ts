import type { Knex } from 'knex'
import { sqlstateOf } from '../db/index.js'
import { UsageError } from '../errors/index.js'
import type { Query } from '../sql/index.js'
import { appendedEvent } from './appended-event.js'
import { askPhase, phaseColumns } from './ask-phase.js'
import { serverTexts } from './attribute-texts.js'
import { isRegistered, refuseUnregistered, refuseWrongEvents } from './built-events.js'
import type { Answer, CallerConnection } from './caller-connection.js'
import { type Binding, bindingOf, likelyBinding } from './command-binding.js'
import { gone, invalid, wrongEvent } from './command-errors.js'
import { keyTexts } from './command-input.js'
import type { Target } from './command-plan.js'
import type { AppendedEvent } from './command-types.js'
import { undecided } from './fold-events.js'
import { type KeyTexts, loadedFrom, loadQueries } from './load-row.js'
import { freshFrom, freshQuery } from './new-row.js'
import type { Held } from './own-transaction.js'
import type { Built } from './planned-event.js'
import { givenId, type Planning, plannedRows, type Seen } from './planned-rows.js'
import { type Metadata, writeRow } from './write-row.js'

/** The transaction in which a command is carried out. */
export interface Ground {
  /** What the command was called with. */
  readonly knex: Pick<Knex, 'client'>
  readonly held: Held
  readonly connection: CallerConnection
  /** Whether the transaction is the command's own. */
  readonly own: boolean
  /** Goes ahead of the next question, in its round trip. */
  readonly prelude: Query[]
}

/** A target whose table is locked against flips and whose key is known. */
export interface OpenTarget extends Ground, Planning {
  readonly binding: Binding
  /** Binds anew, for what may have been registered since. */
  readonly rebind: () => Promise<Binding>
  readonly key: KeyTexts
  /** The stream, where the whole key was given. */
  readonly id: string | null
  /** The row, where it was asked for in the same round trip as the phase. */
  readonly seen: Seen | null
}

/**
 * Locks the table against flips, asks for its phase, binds the definition, makes the key's values texts.
 *
 * @param alone there is no other row to lock: then this one is asked for in the same round trip, by the binding of the
 * last command. A column that this one knows and that is gone meanwhile fails the statement, and so the transaction:
 * therefore only in one of the command's own, which is then begun again.
 */
export async function openTarget(
  ground: Ground,
  target: Target,
  { key, alone }: { readonly key: Readonly<Record<string, unknown>>; readonly alone: boolean },
): Promise<OpenTarget> {
  const { knex, connection, own, prelude } = ground
  const { aggregate: definition, named } = target
  const likely = own && alone ? likelyBinding(knex, definition) : undefined
  const ask = serverTexts(connection)
  const early = likely === undefined ? null : await likelyTexts(ask, likely, key, named)
  const ahead = likely === undefined || early === null ? null : lookAhead(target, likely, early, true)
  const asked = await askPhase(connection, definition, named, {
    before: prelude.splice(0),
    instead: ahead?.row ?? null,
    after: ahead?.queries ?? [],
  }).catch((error: unknown) => {
    if (ahead !== null && UNFIT.test(sqlstateOf(error) ?? '')) askedInVain.add(error as object)
    throw error
  })
  const request = { knex, connection, definition, database: asked.database, shape: asked.shape }
  const binding = await bindingOf(request)
  const same = binding === likely && early !== null
  const texts = same ? early : await keyTexts(ask, binding, key, named)
  const id = givenId(binding, texts)
  const looked = same && asked.answers.length > 0
  const seen = looked ? (ahead?.seen(asked.answers) ?? null) : null
  const rebind = () => bindingOf(request, true)
  return { ...ground, target, binding, texts: ask, rebind, key: texts, id, seen }
}

/** Data that a type doesn't take; names that nothing has. */
const UNFIT = /^(22|42)/
const askedInVain = new WeakSet<object>()

/** Whether it may come of what was asked by the binding of an earlier command: with the present one it may go well. */
export function wasAskedInVain(error: unknown): boolean {
  return typeof error === 'object' && error !== null && askedInVain.has(error)
}

/** Null where the key doesn't fit what is known: that may be of before its column was given another type. */
async function likelyTexts(...given: Parameters<typeof keyTexts>): Promise<KeyTexts | null> {
  try {
    return await keyTexts(...given)
  } catch (error) {
    if (error instanceof UsageError) return null
    throw error
  }
}

/** The row, locked; or the clock, and what a new row gets by default. */
export async function look(open: OpenTarget): Promise<Seen> {
  const { target, connection, binding, key } = open
  refuseMissingKey(open)
  const ahead = lookAhead(target, binding, key, false)
  return open.seen ?? ahead.seen(await connection.run(ahead.queries))
}

/** @param withPhase the row's own query asks for the table's phase, too, and stands apart. */
function lookAhead(target: Target, binding: Binding, key: KeyTexts, withPhase: boolean) {
  if (target.creates) {
    const wanted = undecided(binding, key)
    return {
      row: null,
      queries: [freshQuery(binding, wanted)],
      seen(answers: readonly Answer[]): Seen {
        const { now, defaults } = freshFrom(binding, wanted, answers)
        return { loaded: null, now, defaults: { ...defaults, ...key } }
      },
    }
  }
  const lock = target.deletes ? 'update' : 'no key update'
  // Without its whole key it's refused before it is looked for.
  const whole = binding.model.key.every((name) => name in key)
  const beside = withPhase ? { beside: { name: 'phase and', columns: phaseColumns(target.aggregate) } } : {}
  const both = whole ? loadQueries(binding, { key, lock, ...beside }) : []
  return {
    row: withPhase ? (both[0] ?? null) : null,
    queries: withPhase ? both.slice(1) : both,
    seen(answers: readonly Answer[]): Seen {
      const loaded = loadedFrom(binding, answers)
      if (loaded === null) throw gone(target.named, key)
      return { loaded, now: loaded.now, defaults: {} }
    },
  }
}

/** @throws UsageError EW_COMMAND_INVALID */
function refuseMissingKey({ target, binding, key }: OpenTarget): void {
  if (target.creates) return
  const missing = binding.model.key.filter((name) => !(name in key))
  if (missing.length === 0) return
  const issues = missing.map((name) => ({ message: 'the key is missing', path: [name] }))
  throw invalid(target.named, issues)
}

/** The events and the row that they lead to; nothing is written yet. */
export async function planned(open: OpenTarget, seen: Seen, built: readonly Built[]) {
  const { target } = open
  refuseWrongEvents(target, open.binding, built)
  const binding = await registered(open, built)
  const rows = await plannedRows({ ...open, binding }, seen, built)
  if (rows.events.length === 0)
    throw wrongEvent(target.named, 'gave no event, and there is no noop that says so')
  return { open, binding, rows, version: seen.loaded?.version ?? 0 }
}

export type PlannedTarget = Awaited<ReturnType<typeof planned>>

/** Writes the row with its events, and commits where nothing comes after it; gives the events as they were appended. */
export async function append(
  { open, binding, rows, version }: PlannedTarget,
  metadata: Metadata,
  last: boolean,
): Promise<readonly AppendedEvent[]> {
  const { connection, held, target } = open
  const run = (last ? held.runLast : null) ?? connection.run
  const appended = await writeRow(run, binding, { ...rows, ...metadata, version }, target.named)
  // One more may follow: what a legacy trigger changed on the way is no part of what the command meant.
  return Object.freeze(
    appended.slice(0, rows.events.length).map((event) => appendedEvent(binding.model, rows.id, event)),
  )
}

/** Looked at once more before it is refused: the definition may have been registered since it was bound. */
async function registered(
  { rebind, binding, target }: OpenTarget,
  built: readonly Built[],
): Promise<Binding> {
  if (built.every((event) => isRegistered(binding, event))) return binding
  const again = await rebind()
  refuseUnregistered(again, built, target.named)
  return again
}
