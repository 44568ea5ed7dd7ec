import type { Knex } from 'knex'
import { ConflictError, StoppedError } from '../errors/index.js'
import { type CallerConnection, connectionOf, type EventGround } from '../runtime/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import { asDatabaseError } from './as-database-error.js'
import type { NoParity, Parity } from './compare.js'
import type { Projection } from './define-projection.js'
import { type FlipOptions, flip } from './flip.js'
import {
  addGeneration,
  type Generation,
  generationsOf,
  isOfThisLog,
  lockGeneration,
  lockProjection,
} from './generations.js'
import { groundOf } from './ground-of.js'
import { withReceipt } from './receipt.js'
import { copyRights, dropTable, makeTable } from './view.js'
import { writePageAlone } from './write-page.js'

/** How far a replay is. Counts are texts. */
export interface ReplayProgress {
  /** The projection's name. */
  readonly table: string
  /** Events written so far. */
  readonly rows: string
  /** Events of its aggregates as the planner guesses; null where nobody knows. */
  readonly total: string | null
  readonly estimate: true
  readonly events: null
  readonly unit: 'events'
}

export interface ReplayOptions extends FlipOptions {
  readonly onProgress?: (progress: ReplayProgress) => void
  readonly signal?: AbortSignal
  /** Events of one transaction. @default 500 */
  readonly pageSize?: number
}

export interface ReplayResult {
  readonly projection: string
  readonly version: number
  readonly generation: number
  /** The physical table that the view shows now. */
  readonly table: string
  /** Whether it went on with what an earlier replay, or one at the same time, had built. */
  readonly resumed: boolean
  /** Whether another replay, at the same time, made it live. */
  readonly flippedByOther: boolean
  /** Events written to the new generation, as a text. */
  readonly events: string
  readonly seconds: number
  readonly eventsPerSecond: number | null
  /** What was written under the lock, and how long that took, in ms. */
  readonly lastEvents: number
  readonly lockedMs: number | null
  readonly attempts: number
  readonly parity: Parity | null
  readonly noParity: NoParity | null
  /** The table that was live before: readable still, kept up no more. */
  readonly old: string | null
  /** The receipt; null where this role may not write one. */
  readonly run: string | null
  readonly next: string | null
}

/** The flip is begun once what is left is no more than this. */
const FEW = 100
/** Rounds that try to get there while events come in. For an async one fewer do: its flip keeps no command waiting. */
const ROUNDS = { inline: 50, async: 3 } as const

/**
 * Builds a projection anew, blue / green: the next generation of its table, from the first event on, in transactions of
 * bounded size, while the old one is read and written; then flips the view (see `flip`). Killed and run again it goes on.
 * Two at once join: each page is written by one of them. The table before the old one is dropped at the start. Each leaves a
 * receipt.
 *
 * @throws UsageError EW_PROJECTION_FAILED, EW_PROJECTION_NAME; ConflictError EW_REPLAY_SUPERSEDED where a replay of
 * another version has begun; DatabaseError EW_LOCK_BUSY; StoppedError EW_STOPPED
 */
export async function replay(
  knex: Knex,
  projection: Projection,
  options: ReplayOptions = {},
): Promise<ReplayResult> {
  try {
    return await withReceipt(knex, projection, {
      work: async (run) => ({ ...(await replayed(knex, projection, options)), run }),
      outcome: ({ run: _run, projection: _name, version: _version, next: _next, ...outcome }) => outcome,
    })
  } catch (error) {
    throw asDatabaseError(knex, error)
  }
}

async function replayed(
  knex: Knex,
  projection: Projection,
  options: ReplayOptions,
): Promise<Omit<ReplayResult, 'run'>> {
  const begun = performance.now()
  const { ground, total } = await knex.transaction(async (trx) => {
    const connection = await connectionOf(trx)
    const ground = await groundOf(connection, projection)
    return { ground, total: await estimate(connection, projection, ground) }
  })
  const { building, resumed } = await beginBuilding(knex, projection)
  const what = { projection, ground }
  const flippedByOther = !(await build(knex, what, building.id, { ...options, total }))
  const flipped = flippedByOther ? null : await flip(knex, what, building.id, options)
  const after = await knex.transaction(async (trx) => generationsOf(await connectionOf(trx), projection))
  const now = after.find(({ id }) => id === building.id)
  if (now?.state !== 'live') throw superseded(projection)
  options.onProgress?.(progressOf(projection, now.events, now.events))
  const old = after.findLast(({ state }) => state === 'old')
  const seconds = (performance.now() - begun) / 1_000
  const made = Number(now.events) - Number(building.events)
  return {
    projection: projection.name,
    version: now.version,
    generation: now.generation,
    table: `${now.schema}.${now.table}`,
    resumed,
    flippedByOther: flipped === null,
    events: now.events,
    seconds: Math.round(seconds * 10) / 10,
    eventsPerSecond: made > 0 ? Math.round(made / seconds) : null,
    lastEvents: flipped?.lastEvents ?? 0,
    lockedMs: flipped?.lockedMs ?? null,
    attempts: flipped?.attempts ?? 0,
    parity: flipped?.parity ?? null,
    noParity: flipped?.noParity ?? null,
    old: old === undefined ? null : `${old.schema}.${old.table}`,
    next: old === undefined ? null : `eventward replay ${projection.name} --drop-old`,
  }
}

/** Removes the table that was live before the last replay, by name. Gives the tables that were dropped. */
export async function dropOld(knex: Knex, projection: Projection): Promise<readonly string[]> {
  return knex.transaction(
    async (trx) => {
      const connection = await connectionOf(trx)
      await lockProjection(connection, projection.name)
      const old = (await generationsOf(connection, projection)).filter(({ state }) => state === 'old')
      for (const generation of old) await forget(trx, generation)
      return old.map(({ schema, table }) => `${schema}.${table}`)
    },
    { isolationLevel: 'read committed' },
  )
}

/** The generation under construction: the one that is there, or a new one. */
async function beginBuilding(knex: Knex, projection: Projection) {
  return knex.transaction(
    async (trx) => {
      const connection = await connectionOf(trx)
      await lockProjection(connection, projection.name)
      const all = await generationsOf(connection, projection)
      const found = all.find(({ state }) => state === 'building')
      if (found?.version === projection.version && (await isOfThisLog(connection, projection, found))) {
        return { building: found, resumed: true }
      }
      if (found !== undefined) await forget(trx, found)
      for (const old of all.filter(({ state }) => state === 'old')) await forget(trx, old)
      const building = await addGeneration(connection, projection, 'building')
      await makeTable(trx, projection, building)
      const live = all.find(({ state }) => state === 'live')
      if (live !== undefined) await copyRights(trx, { from: live, to: building })
      return { building, resumed: false }
    },
    { isolationLevel: 'read committed' },
  )
}

/** Writes pages until few events are left; false where the generation is building no more. */
async function build(
  knex: Knex,
  what: { readonly projection: Projection; readonly ground: EventGround },
  id: string,
  {
    total,
    onProgress,
    signal,
    pageSize = 500,
  }: Pick<ReplayOptions, 'onProgress' | 'signal' | 'pageSize'> & { readonly total: string | null },
): Promise<boolean> {
  const wanted = ({ state, version }: Generation) =>
    state === 'building' && version === what.projection.version
  let windows = 0
  let inWindow = 0
  for (;;) {
    if (signal?.aborted === true) throw stopped(what.projection)
    const page = await writePageAlone(knex, what, id, { limit: pageSize, wanted })
    if (page === null) return false
    inWindow += page.written
    onProgress?.(progressOf(what.projection, page.generation.events, total))
    if (!page.drained) continue
    windows += 1
    if (inWindow <= FEW || windows >= ROUNDS[what.projection.mode]) return true
    inWindow = 0
  }
}

async function forget(trx: Knex.Transaction, generation: Generation): Promise<void> {
  const connection = await connectionOf(trx)
  // Another process may be at a page of it.
  await lockGeneration(connection, generation.id)
  await dropTable(trx, generation)
  await connection.run([
    sql`delete from eventward.projection_generations where id = ${generation.id}::bigint`,
  ])
}

async function estimate(
  connection: CallerConnection,
  { rules }: Projection,
  { events }: EventGround,
): Promise<string | null> {
  const [answer] = await connection.run([
    sql`
    select case when min(c.reltuples) < 0 then null else sum(c.reltuples)::bigint end as total
    from pg_catalog.pg_inherits i
    join pg_catalog.pg_class c on c.oid = i.inhrelid
    where i.inhparent = pg_catalog.to_regclass(${qualified(events.schema, events.table)}::text)
      and pg_catalog.pg_get_expr(c.relpartbound, c.oid) in (${raw(
        rules
          .map(({ aggregate }) => {
            const bound = `FOR VALUES IN ('${aggregate.name.replaceAll("'", "''")}')`
            return `'${bound.replaceAll("'", "''")}'`
          })
          .join(', '),
      )})`,
  ])
  return answer?.rows[0]?.['total'] ?? null
}

function progressOf({ name }: Projection, rows: string, guessed: string | null): ReplayProgress {
  const total = guessed === null || BigInt(guessed) < BigInt(rows) ? null : guessed
  return { table: name, rows, total, estimate: true, events: null, unit: 'events' }
}

function stopped({ name }: Projection): StoppedError {
  return new StoppedError('EW_STOPPED', `replay of ${name}: stopped; the old table is still shown`, {
    next: `Run \`eventward replay ${name}\` again: it goes on.`,
    details: { projection: name },
  })
}

function superseded({ name }: Projection): ConflictError {
  return new ConflictError(
    'EW_REPLAY_SUPERSEDED',
    `replay of ${name}: another replay, of another version of it, has begun meanwhile`,
    { next: 'Look at which version is deployed, and replay that one.', details: { projection: name } },
  )
}
