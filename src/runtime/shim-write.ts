import type { AggregateDefinition, Row } from '../definition/index.js'
import { type RecogniseContext, recognise, streamOf } from '../recognise/index.js'
import { type CallerConnection, callerConnection, savepoint } from './caller-connection.js'
import type { KnexBuilder, KnexClient } from './knex-internals.js'
import { appendToStreams, type StreamAppend } from './shim-append.js'
import { bindShim, type ShimBinding } from './shim-binding.js'
import { unseen } from './shim-errors.js'
import { loadImages } from './shim-images.js'
import { instantsOf } from './shim-instants.js'
import { copyOf, heldTo, lockRows, type Ran, runReturning } from './shim-rows.js'
import { conflictingRows } from './upsert-target.js'

/** A write of a table whose events the shim keeps, within a transaction. */
export interface ShimWrite {
  readonly client: KnexClient
  readonly connection: CallerConnection
  readonly bound: ShimBinding
  readonly definition: AggregateDefinition
  readonly builder: KnexBuilder
}

/** One row's change, as canonical texts. */
interface Change {
  readonly before: Row | null
  readonly after: Row | null
}

/**
 * Dual-write in TypeScript: the rows that a builder will change are locked and read, the builder runs, the rows are read
 * again, and what changed is appended as events, all in the caller's transaction.
 *
 * @returns what knex would have given.
 * @throws UsageError EW_SHIM_UNSEEN for writes whose rows can't be told; see `bindShim`.
 */
export async function shimWrite(
  client: KnexClient,
  definition: AggregateDefinition,
  builder: KnexBuilder,
  kind: 'insert' | 'update' | 'del',
): Promise<unknown> {
  const connection = callerConnection(await client.acquireConnection())
  const bound = await bindShim(connection, client, definition)
  const write = { client, connection, bound, definition, builder }
  const { result, changes, now } = await CARRIED_OUT[kind](write)
  await record(write, changes, now)
  return result
}

interface Outcome {
  readonly result: unknown
  readonly changes: readonly Change[]
  /** The clock after the rows were locked. */
  readonly now: string
}

const CARRIED_OUT = { insert, update, del } as const

async function update(write: ShimWrite): Promise<Outcome> {
  const { client, connection, bound, builder } = write
  refuseOtherTables(write)
  const { binding } = bound
  const single = builder._single ?? {}
  const set = Object.keys({ ...single.update, ...single.counter })
  const movesKey = set.some((name) => binding.model.key.includes(name.split('.').pop() ?? name))
  const mode = movesKey ? 'for update' : 'for no key update'
  const keys = await lockRows(connection, binding, copyOf(builder), mode)
  if (movesKey && keys.length > 1)
    throw unseen(write.definition, 'it changes the keys of several rows at once')
  const before = await loadImages(connection, binding, keys)
  const ran = await runReturning(client, binding, heldTo(binding, copyOf(builder), keys))
  const after = await loadImages(connection, binding, keysOf(ran))
  const changes = movesKey
    ? after.rows.map((row, index) => ({ before: before.rows[index] ?? null, after: row }))
    : paired(write, before.rows, after.rows)
  return { result: ran.result, changes, now: before.now }
}

async function del(write: ShimWrite): Promise<Outcome> {
  const { client, connection, bound, builder } = write
  refuseOtherTables(write)
  const { binding } = bound
  const keys = await lockRows(connection, binding, copyOf(builder), 'for update')
  const before = await loadImages(connection, binding, keys)
  const ran = await runReturning(client, binding, heldTo(binding, copyOf(builder), keys))
  const gone = new Set(keysOf(ran))
  // A row that a trigger kept from being removed is there as it was.
  const changes = before.rows.flatMap((row, index) =>
    gone.has(keys[index] ?? '') ? [{ before: row, after: null }] : [],
  )
  return { result: ran.result, changes, now: before.now }
}

const UPSERT = 'eventward_upsert'
/** Each lost try was another's insert of the same key. */
const MOST_UPSERTS = 10

async function insert(write: ShimWrite): Promise<Outcome> {
  const { client, connection, bound, builder, definition } = write
  const { binding } = bound
  if (builder._single?.merge === undefined) {
    const ran = await runReturning(client, binding, copyOf(builder))
    const after = await loadImages(connection, binding, keysOf(ran))
    return {
      result: ran.result,
      changes: after.rows.map((row) => ({ before: null, after: row })),
      now: after.now,
    }
  }
  for (let tries = 1; tries <= MOST_UPSERTS; tries += 1) {
    await connection.run([savepoint.begin(UPSERT)])
    const keys = await lockRows(connection, binding, conflictingRows(write), 'for no key update')
    const before = await loadImages(connection, binding, keys)
    const ran = await runReturning(client, binding, copyOf(builder), true)
    const locked = new Set(keys)
    if (ran.keys.every(({ key, inserted }) => inserted || locked.has(key))) {
      const after = await loadImages(connection, binding, keysOf(ran))
      await connection.run([savepoint.end(UPSERT)])
      return { result: ran.result, changes: paired(write, before.rows, after.rows, true), now: before.now }
    }
    // Another inserted the row between our look and our write: it must be seen as it was.
    await connection.run([savepoint.undo(UPSERT), savepoint.end(UPSERT)])
  }
  throw unseen(definition, `others inserted its rows ${MOST_UPSERTS} times`)
}

function keysOf({ keys }: Ran): readonly string[] {
  return keys.map(({ key }) => key)
}

/** Rows before and after, by their stream. */
function paired(
  { bound, definition }: ShimWrite,
  before: readonly Row[],
  after: readonly Row[],
  mayCreate = false,
): readonly Change[] {
  const { model } = bound.binding
  const known = new Map(before.map((row) => [streamOf(model, row), row]))
  return after.map((row) => {
    const was = known.get(streamOf(model, row)) ?? null
    if (was === null && !mayCreate) throw unseen(definition, 'a trigger changes its key')
    return { before: was, after: row }
  })
}

function refuseOtherTables({ builder, definition }: ShimWrite): void {
  const { updateFrom, using } = builder._single ?? {}
  const joined = (builder._statements ?? []).some(({ grouping }) => grouping === 'join')
  if (updateFrom !== undefined || using !== undefined || joined) {
    throw unseen(definition, 'it joins other tables')
  }
}

/** Appends what the changes mean. */
async function record(write: ShimWrite, changes: readonly Change[], now: string): Promise<void> {
  const { connection, bound } = write
  const rows = changes.flatMap(({ before, after }) => [before, after]).filter((row) => row !== null)
  const instantOf = await instantsOf(connection, bound.binding, rows)
  const context: RecogniseContext = { now, ...(instantOf === undefined ? {} : { instantOf }) }
  const appends = changes.flatMap((change) => appendsOf(bound, change, context))
  await appendToStreams(connection, bound, appends)
}

function appendsOf(
  { binding: { model } }: ShimBinding,
  { before, after }: Change,
  context: RecogniseContext,
): readonly StreamAppend[] {
  const events = recognise(model, before, after, context)
  if (before === null) {
    return after === null ? [] : [{ id: streamOf(model, after), events, was: null, creating: true }]
  }
  const was = recognise(model, null, before, { ...context, backfill: true })
  const id = streamOf(model, before)
  const to = after === null ? id : streamOf(model, after)
  if (to === id) return events.length === 0 ? [] : [{ id, events, was, creating: false }]
  const own = events.filter(({ streamId }) => streamId === id)
  const others = events.filter(({ streamId }) => streamId === to)
  return [
    { id, events: own, was, creating: false, link: { movedTo: to } },
    { id: to, events: others, was: null, creating: true, link: { movedFrom: id } },
  ]
}
