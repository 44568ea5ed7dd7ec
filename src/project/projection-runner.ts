import { setTimeout as sleep } from 'node:timers/promises'
import type { Knex } from 'knex'
import { sqlstateOf } from '../db/index.js'
import { EventwardError } from '../errors/index.js'
import { connectionOf } from '../runtime/index.js'
import { asDatabaseError } from './as-database-error.js'
import type { Projection } from './define-projection.js'
import { addGeneration, type Generation, generationsOf, lockProjection } from './generations.js'
import { groundOf } from './ground-of.js'
import { makeTable, showGeneration } from './view.js'
import { writePageAlone } from './write-page.js'

/** What a round of the runner did with a projection. */
export interface ProjectionRound {
  readonly projection: string
  /** Events written. */
  readonly events: number
  /**
   * `behind`: its live table is of another version, and `eventward replay` builds it anew; or newer code has written an
   * event (`error` names it), which is left to that code.
   */
  readonly state: 'written' | 'behind' | 'failed'
  readonly error: EventwardError | null
}

export interface ProjectionRunner {
  /** Writes all that is there by now, to each projection once. A projection that fails keeps no other one back. */
  once(): Promise<readonly ProjectionRound[]>
  /** Goes round until the signal is aborted. */
  run(): Promise<void>
}

export interface ProjectionRunnerOptions {
  readonly knex: Knex
  readonly projections: readonly Projection[]
  readonly signal?: AbortSignal
  /** Between two rounds that found nothing, in ms. @default 1000 */
  readonly pollMs?: number
  readonly onRound?: (rounds: readonly ProjectionRound[]) => void
}

/** Events of one transaction. A page of an inline projection keeps its commands waiting: a short one. */
const PAGE = { async: 500, inline: 50 } as const
/** Commands queue behind whoever waits for their generation's lock: not for long, in ms. */
const LOCK_MS = 200
/** After a failure, in ms: what fails now fails a moment later as well. */
const AFTER_FAILURE_MS = 5_000

/**
 * What `eventward work` does for projections: writes events to those that are async, and to inline ones what came without
 * a command; each once, since the cursor moves in the transaction of what was written. Several processes may run it.
 */
export function projectionRunner(options: ProjectionRunnerOptions): ProjectionRunner {
  const { knex, projections, signal, pollMs = 1_000, onRound } = options
  const once = async () => {
    const rounds: ProjectionRound[] = []
    for (const projection of projections) rounds.push(await roundOf(knex, projection, signal))
    return rounds
  }
  return {
    once,
    async run() {
      while (signal?.aborted !== true) {
        const rounds = await once()
        onRound?.(rounds)
        const idle = rounds.every(({ events }) => events === 0)
        const pause = rounds.some(({ state }) => state === 'failed') ? AFTER_FAILURE_MS : pollMs
        if (idle) await sleep(pause, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
      }
    },
  }
}

async function roundOf(
  knex: Knex,
  projection: Projection,
  signal: AbortSignal | undefined,
): Promise<ProjectionRound> {
  let events = 0
  const round = (state: ProjectionRound['state'], error: EventwardError | null = null) => ({
    projection: projection.name,
    events,
    state,
    error,
  })
  try {
    const live = await liveGeneration(knex, projection)
    if (live === null) return round('behind')
    const ground = await knex.transaction(async (trx) => groundOf(await connectionOf(trx), projection))
    const wanted = ({ state, version }: Generation) => state === 'live' && version === projection.version
    while (signal?.aborted !== true) {
      const page = await writePageAlone(knex, { projection, ground }, live.id, {
        limit: PAGE[projection.mode],
        wanted,
        lockTimeoutMs: LOCK_MS,
      })
      if (page === null) break
      events += page.written
      if (page.drained) break
    }
    return round('written')
  } catch (error) {
    // A command, or another runner, is at it for longer: the next round comes soon.
    if (sqlstateOf(error) === '55P03') return round('written')
    const ours = asDatabaseError(knex, error)
    if (ours instanceof EventwardError && ours.code === 'EW_PROJECTION_NEWER') return round('behind', ours)
    if (ours instanceof EventwardError) return round('failed', ours)
    throw error
  }
}

/** An async projection that has no table yet begins here, with the first event there is. Null where it needs a replay. */
async function liveGeneration(knex: Knex, projection: Projection): Promise<Generation | null> {
  return knex.transaction(
    async (trx) => {
      const connection = await connectionOf(trx)
      await lockProjection(connection, projection.name)
      const all = await generationsOf(connection, projection)
      const live = all.find(({ state }) => state === 'live')
      if (live !== undefined) return live.version === projection.version ? live : null
      if (all.length > 0 || projection.mode === 'inline') return null
      const first = await addGeneration(connection, projection, 'live')
      await makeTable(trx, projection, first)
      await showGeneration(trx, projection, first)
      return first
    },
    { isolationLevel: 'read committed' },
  )
}
