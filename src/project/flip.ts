import { setTimeout as sleep } from 'node:timers/promises'
import type { Knex } from 'knex'
import { sqlstateOf } from '../db/index.js'
import { ConflictError, DatabaseError } from '../errors/index.js'
import { type Mark, takeMark } from '../log/index.js'
import { type CallerConnection, connectionOf, type EventGround } from '../runtime/index.js'
import { sql } from '../sql/index.js'
import { compareGenerations, type NoParity, type Parity } from './compare.js'
import type { Projection } from './define-projection.js'
import {
  type Generation,
  generationsOf,
  isOfThisLog,
  lockGeneration,
  lockProjection,
  refuseOtherLog,
} from './generations.js'
import { showGeneration } from './view.js'
import { lockTimeout, writePage } from './write-page.js'

export interface Flipped {
  readonly attempts: number
  /** From the moment that inline writers were barred until the commit, in ms. */
  readonly lockedMs: number
  /** The last events, written under the lock. */
  readonly lastEvents: number
  readonly parity: Parity | null
  readonly noParity: NoParity | null
}

export interface FlipOptions {
  /** How long one try may wait for each lock, in ms. @default 400 */
  readonly lockTimeoutMs?: number
  /** @default 10 */
  readonly tries?: number
  readonly onRetry?: (attempt: number, why: string) => void
}

/** How long commands may be kept waiting by an inline projection's last events. */
const HOLD_MS = 2_000
const COMPARE_MS = { inline: 400, async: 30_000 } as const
const LAST_PAGE = 100

/**
 * Makes the built generation the live one: bars who writes to either, waits out inline writers, writes the last events to
 * both, compares them, and makes the view show the new one; all in one transaction, which is tried again where a lock is
 * not granted in time. Readers wait for the moment of the view's replacement alone.
 *
 * @returns null where it's not `building` any more: another replay was faster.
 * @throws DatabaseError EW_LOCK_BUSY; ConflictError EW_REPLAY_BEHIND where an inline one's last events take too long; what a handler throws
 */
export async function flip(
  knex: Knex,
  what: { readonly projection: Projection; readonly ground: EventGround },
  id: string,
  { lockTimeoutMs = 400, tries = 10, onRetry }: FlipOptions = {},
): Promise<Flipped | null> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const begun = { at: 0 }
      const done = await knex.transaction((trx) => flipIn(trx, what, { id, lockTimeoutMs, begun }), {
        isolationLevel: 'read committed',
      })
      if (done === null) return null
      return { ...done, attempts: attempt, lockedMs: Math.round((performance.now() - begun.at) * 10) / 10 }
    } catch (error) {
      const state = sqlstateOf(error) ?? ''
      if (!GIVES_UP.has(state)) throw error
      if (attempt >= tries) throw busy(what.projection, attempt, error)
      onRetry?.(attempt, 'a lock was not granted in time')
      await sleep(Math.min(1_500, 100 * 2 ** (attempt - 1)) * (0.5 + Math.random()))
    }
  }
}

/** Lock not available, deadlock: each leaves everything as it was. */
const GIVES_UP: ReadonlySet<string> = new Set(['55P03', '40P01'])

async function flipIn(
  trx: Knex.Transaction,
  { projection, ground }: { readonly projection: Projection; readonly ground: EventGround },
  {
    id,
    lockTimeoutMs,
    begun,
  }: { readonly id: string; readonly lockTimeoutMs: number; readonly begun: { at: number } },
) {
  const connection = await connectionOf(trx)
  await connection.run([lockTimeout(lockTimeoutMs)])
  await lockProjection(connection, projection.name)
  const before = (await generationsOf(connection, projection)).find(({ state }) => state === 'live')
  begun.at = performance.now()
  const old = before === undefined ? null : await lockGeneration(connection, before.id)
  const next = await lockGeneration(connection, id)
  if (next?.state !== 'building') return null
  // After the locks: every command that has written to the old one has committed, and none writes to it any more.
  const restored = old?.cursor.restored === null ? null : next.cursor.restored
  const mark = await takeMark(connection, ground.events, restored)
  await refuseOtherLog(connection, projection, next)
  // Its cursor must mean something here.
  const same =
    old !== null && old.version === projection.version && (await isOfThisLog(connection, projection, old))
  const until = projection.mode === 'inline' && old !== null ? begun.at + HOLD_MS : Number.POSITIVE_INFINITY
  const bounds = { mark, until }
  const built = await drain(trx, { projection, ground }, next, bounds)
  const kept = same ? await drain(trx, { projection, ground }, old, bounds) : null
  const parity =
    kept === null
      ? null
      : await compareGenerations(trx, {
          old: kept.generation,
          next: built.generation,
          withinMs: COMPARE_MS[projection.mode],
        })
  await setStates(connection, { old: old?.id ?? null, live: next.id })
  await showGeneration(trx, projection, next)
  return { lastEvents: built.written, parity, noParity: noParityOf(projection, { old, next, same, parity }) }
}

function noParityOf(
  { version }: Projection,
  {
    old,
    next,
    same,
    parity,
  }: {
    readonly old: Generation | null
    readonly next: Generation
    readonly same: boolean
    readonly parity: Parity | null
  },
): NoParity | null {
  if (parity !== null) return null
  if (old === null) return 'first'
  if (same) return 'too large to compare under the lock'
  if (old.version !== version) return 'other version'
  return old.epoch === next.epoch ? 'of events that were archived' : 'restored elsewhere'
}

/** All that the mark sees: first the window that is open, then the one up to the mark. */
async function drain(
  trx: Knex.Transaction,
  what: { readonly projection: Projection; readonly ground: EventGround },
  from: Generation,
  { mark, until }: { readonly mark: Mark; readonly until: number },
): Promise<{ readonly generation: Generation; readonly written: number }> {
  let generation = from
  let written = 0
  for (let windows = generation.cursor.upto === null ? 1 : 2; windows > 0; ) {
    const page = await writePage(trx, what, generation, { limit: LAST_PAGE, mark })
    generation = page.generation
    written += page.written
    if (performance.now() > until) throw behind(what.projection)
    if (page.drained) windows -= 1
  }
  return { generation, written }
}

async function setStates(
  connection: CallerConnection,
  { old, live }: { readonly old: string | null; readonly live: string },
): Promise<void> {
  await connection.run([
    sql`update eventward.projection_generations set state = 'old' where id = ${old}::bigint`,
    sql`update eventward.projection_generations set state = 'live', live_at = pg_catalog.clock_timestamp()
      where id = ${live}::bigint`,
  ])
}

function behind({ name }: Projection): ConflictError {
  return new ConflictError(
    'EW_REPLAY_BEHIND',
    `replay of ${name}: commands write faster than it follows: its last events would keep them waiting for more than ${HOLD_MS} ms; the old table is still shown`,
    {
      next: `Run \`eventward replay ${name}\` again when fewer commands come in: what was built is kept.`,
      details: { projection: name },
    },
  )
}

function busy({ name }: Projection, attempts: number, cause: unknown): DatabaseError {
  return new DatabaseError(
    'EW_LOCK_BUSY',
    `projection ${name}: someone reads from its view, or writes to it, for long: no lock in ${attempts} tries; the old table is still shown`,
    {
      next: `Run \`eventward replay ${name}\` again once that has ended: what was built is kept.`,
      details: { projection: name, attempts },
      cause,
    },
  )
}
