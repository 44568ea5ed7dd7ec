import { setTimeout as sleep } from 'node:timers/promises'
import type { Knex } from 'knex'
import { sqlstateOf } from '../db/index.js'
import { UsageError } from '../errors/index.js'
import { connectionOf, endTransaction, setLocally } from './caller-connection.js'
import { forgetBindings } from './command-binding.js'
import { invalid } from './command-errors.js'
import { validAttributes } from './command-input.js'
import { claimKey, earlierEvents, finishKey } from './command-key.js'
import type { CommandPlan, SeenTarget, Slots } from './command-plan.js'
import type { AppendedEvent, CallOptions } from './command-types.js'
import { contextJson, contextMetadata, withoutOwn } from './context.js'
import { decide } from './decide.js'
import { jsonText } from './json-text.js'
import { keepsStatements, stopKeeping } from './kept-statement.js'
import { type Held, heldByCaller, inOwnTransaction, mayBegin } from './own-transaction.js'
import { type Enqueued, enqueuedBy, type Participant, participantsOf } from './participants.js'
import { presentOf, refuseOtherVersion, type Seen, stateOf } from './planned-rows.js'
import {
  append,
  type Ground,
  look,
  type OpenTarget,
  openTarget,
  type PlannedTarget,
  planned,
  wasAskedInVain,
} from './target-run.js'

export interface Call {
  readonly knex: Knex | Knex.Transaction
  readonly input: unknown
  readonly options: RunOptions
}

export interface RunOptions extends Omit<CallOptions, 'expectedVersion'> {
  /** By slot. */
  readonly expectedVersions: Slots<number | undefined>
}

/** The events of each target; null where there was nothing to do. */
export type Appended = Slots<readonly AppendedEvent[]> | null

/** What is known of a call before the database is asked. */
interface Run {
  readonly plan: CommandPlan
  readonly keys: Slots<Slots<unknown>>
  readonly attributes: unknown
  readonly input: unknown
  readonly options: RunOptions
}

/** The life of a command: see ARCHITECTURE.md. */
export async function callCommand(plan: CommandPlan, { knex, input, options }: Call): Promise<Appended> {
  const { keys, rest } = plan.split(input)
  // Before anything is locked: a schema may take its time.
  const attributes = await validAttributes(plan.attributes, rest, plan.named)
  const run = { plan, keys, attributes, input, options }
  if (isTransaction(knex)) {
    return inTransaction(run, knex, { held: heldByCaller(knex, await connectionOf(knex)), own: false })
  }
  const retries = options.retries ?? 0
  let stale = false
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await inOne(run, knex)
    } catch (error) {
      if (FORGOTTEN.has(sqlstateOf(error) ?? '')) stopKeeping(knex)
      // The row was asked for by columns that are gone since: once more, with those that are there.
      if (!stale && (wasAskedInVain(error) || MOVED.has(sqlstateOf(error) ?? ''))) {
        stale = true
        attempt -= 1
        for (const { aggregate } of plan.targets) forgetBindings(knex, aggregate)
        continue
      }
      if (attempt >= retries || !RETRIED.has(sqlstateOf(error) ?? '')) throw error
      await sleep(Math.random() * Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS))
    }
  }
}

/** What the other of two transactions meets, and would not meet again: serialization failure, deadlock. */
const RETRIED: ReadonlySet<string> = new Set(['40001', '40P01'])
/** Undefined column, table, function; a type that doesn't fit; a kept plan, or statement, that is none any more. */
const MOVED: ReadonlySet<string> = new Set(['42703', '42P01', '42883', '42804', '0A000', '26000', '42P05'])
/** No such prepared statement; there is one of that name. */
const FORGOTTEN: ReadonlySet<string> = new Set(['26000', '42P05'])
const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 1_000

export function isTransaction(knex: Knex | Knex.Transaction): knex is Knex.Transaction {
  return knex.isTransaction === true
}

/** A transaction of the command's own. */
async function inOne(run: Run, knex: Knex): Promise<Appended> {
  if (mayBegin(knex)) return inOwnTransaction(knex, (held) => inTransaction(run, knex, { held, own: true }))
  return knex.transaction(async (trx) => {
    const connection = await connectionOf(trx, { keeps: keepsStatements(trx) })
    return inTransaction(run, trx, { held: heldByCaller(trx, connection), own: true })
  })
}

async function inTransaction(
  run: Run,
  knex: Knex | Knex.Transaction,
  { held, own }: { readonly held: Held; readonly own: boolean },
): Promise<Appended> {
  const context = contextJson()
  // Of a transaction of its own until the end: triggers that were put off until the commit write as well.
  const prelude = own && context !== null ? [setLocally('eventward.metadata', context)] : []
  const { connection } = held
  const ground = { knex, held, connection, own, prelude }
  const { idempotencyKey } = run.options
  if (idempotencyKey === undefined) return carryOut(run, ground)
  const claim = { key: idempotencyKey, plan: run.plan, input: run.input }
  const earlier = await claimKey(ground.connection, claim)
  if (earlier !== undefined) return earlier === null ? null : earlierEvents(ground, run.plan, earlier)
  const appended = await carryOut(run, ground)
  await finishKey(ground.connection, idempotencyKey, appended)
  return appended
}

async function carryOut(run: Run, ground: Ground): Promise<Appended> {
  const { plan } = run
  const looked = await lookAtAll(run, ground)
  const built = await decided(run, looked, ground)
  if (built === null) return null

  const writes: PlannedTarget[] = []
  for (const { open, seen: row } of looked) {
    const events = built[open.target.slot] ?? []
    // Of several aggregates one may stay as it is.
    if (events.length > 0 || open.target.deletes || plan.targets.length === 1) {
      writes.push(await planned(open, row, events))
    }
  }
  const participants = participantsOf(ground.knex)
  // Of each aggregate alone: types of two may have one name.
  const marked: Marked[] = []
  for (const write of writes) {
    const { binding, rows } = write
    const upcoming = rows.events.map(({ type }) => ({ aggregate: binding.model.name, type }))
    const enqueued =
      participants.length === 0 ? {} : await enqueuedBy(participants, await ground.held.take(), upcoming)
    marked.push({ write, enqueued })
  }
  const { own, connection } = ground
  try {
    return await written(run, ground, { marked, participants })
  } catch (error) {
    // Of the caller's own transaction nobody knows yet that it can't go on: a reactor's error is none of the database.
    if (!own) await endTransaction(connection, plan.named.where)
    throw error
  }
}

/**
 * What the command means. Its functions may want knex's transaction, which is not made before: then they are asked again,
 * with it; and from then on it's made ahead of them.
 */
async function decided({ plan, attributes }: Run, looked: readonly Looked[], { held }: Ground) {
  const id = looked[0]?.open.id ?? null
  if (wantsTransaction.has(plan)) await held.take()
  let missed = false
  const seen = seenOf(looked, () => {
    if (held.trx !== null) return held.trx
    missed = true
    // Whoever kept `present` beyond its command gets to see it.
    throw new UsageError(
      'EW_TRANSACTION_OVER',
      `${plan.named.where}: present.trx is there while the command decides`,
    )
  })
  const outcome = await decide(plan, seen, { attributes, id }).then(
    (built) => () => built,
    (error: unknown) => () => {
      throw error
    },
  )
  if (!missed) return outcome()
  wantsTransaction.add(plan)
  await held.take()
  return decide(plan, seen, { attributes, id })
}

const wantsTransaction = new WeakSet<CommandPlan>()

interface Marked {
  readonly write: PlannedTarget
  readonly enqueued: Enqueued
}

/** Writes rows and events, and has others take part. What it throws leaves the transaction half done. */
async function written(
  { plan, options }: Run,
  ground: Ground,
  {
    marked,
    participants,
  }: { readonly marked: readonly Marked[]; readonly participants: readonly Participant[] },
): Promise<Appended> {
  const appended: Record<string, readonly AppendedEvent[]> = {}
  const alone = participants.length === 0 && options.idempotencyKey === undefined
  for (const { write, enqueued } of marked) {
    const last = alone && write === marked.at(-1)?.write
    const { slot, named } = write.open.target
    const metadata = jsonText(
      {
        ...contextMetadata(),
        ...withoutOwn(options.metadata ?? {}),
        source: 'command',
        ...(plan.name === null ? {} : { command: plan.name }),
        ...(Object.keys(enqueued).length === 0 ? {} : { enqueued }),
        // The row shape is the trigger's to tell: it knows which columns are not those that it was compiled for.
        definition: write.binding.origin.definition,
        writer: write.binding.origin.writer,
      },
      `${named.where}: its metadata`,
    )
    appended[slot] = await append(write, { metadata, context: ground.own ? null : contextJson() }, last)
  }
  const events = Object.values(appended).flat()
  for (const participant of participants) await participant.appended(await ground.held.take(), events)
  return appended
}

interface Looked {
  readonly open: OpenTarget
  readonly seen: Seen
}

/** All tables first, then the rows, each in one order for everybody: so that no two commands deadlock. */
export async function lookAtAll(
  { plan, keys, options }: Pick<Run, 'plan' | 'keys' | 'options'>,
  ground: Ground,
): Promise<readonly Looked[]> {
  const byType = [...plan.targets].sort((a, b) => compare(a.aggregate.name, b.aggregate.name))
  const opened: OpenTarget[] = []
  const alone = plan.targets.length === 1
  for (const target of byType) {
    opened.push(await openTarget(ground, target, { key: keys[target.slot] ?? {}, alone }))
  }
  const inOrder = opened.sort(
    (a, b) => compare(a.binding.model.name, b.binding.model.name) || compare(a.id ?? '', b.id ?? ''),
  )
  refuseTwice(plan, inOrder)
  const looked: Looked[] = []
  for (const open of inOrder) {
    const seen = await look(open)
    const expected = options.expectedVersions[open.target.slot]
    if (expected !== undefined) refuseOtherVersion(open, seen, expected)
    looked.push({ open, seen })
  }
  return looked
}

export function seenOf(looked: readonly Looked[], trx: () => Knex.Transaction): Slots<SeenTarget> {
  return Object.fromEntries(
    looked.map(({ open, seen }) => {
      const state = stateOf(open.binding, seen.loaded?.row ?? null)
      return [open.target.slot, { state, present: presentOf(open, seen, trx) }]
    }),
  )
}

/** By code units: the same in every process. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The same row under two names would be decided upon twice, and written over. */
function refuseTwice({ named }: CommandPlan, opened: readonly OpenTarget[]): void {
  opened.forEach(({ binding, id, target }, index) => {
    const last = opened[index - 1]
    if (id === null || last?.id !== id || last.binding.model.name !== binding.model.name) return
    throw invalid(named, [{ message: `is the same row as ${last.target.slot}`, path: [target.slot] }])
  })
}
