import pg from 'pg'
import { backfill } from '../../src/backfill/index.js'
import { captureOn } from '../../src/capture/index.js'
import { advance, rollback } from '../../src/cutover/index.js'
import { connect } from '../../src/db/index.js'
import { verify } from '../../src/verify/index.js'
import { Subscription } from '../subscription.js'
import type { Outcome, TaskOptions } from '../task.js'

/** Connections that write all the time: half of them READ COMMITTED, half REPEATABLE READ. */
const WRITERS = 4
const FLIPS = 50
/** Left alone between two flips, in ms. */
const BETWEEN_MS = 100

/** A write of the load: when it was asked for, how long it took. */
interface Written {
  readonly at: number
  readonly ms: number
}

/** Captures, backfills and verifies a table, and flips it to and fro while others write to it. Times in ms. */
export async function flips(url: string, { size }: TaskOptions): Promise<Outcome> {
  const database = await connect({ url, max: 4 })
  const load = startWriters(url, size)
  const locked: number[] = []
  const waits: number[] = []
  let attempts = 0
  try {
    await captureOn(database, Subscription)
    await backfill(database, Subscription)
    await verify(database, Subscription)
    for (let flip = 0; flip < FLIPS; flip += 1) {
      const begun = performance.now()
      const step = flip % 2 === 0 ? advance : rollback
      const result = await step(database, Subscription, { pauseMs: 500 })
      if (!result.ok) throw new RangeError(`flip ${flip} was refused: ${JSON.stringify(result.gate)}`)
      attempts += result.attempts
      locked.push(result.lockedMs ?? 0)
      await sleep(BETWEEN_MS)
      const during = load.written.filter(({ at, ms }) => at + ms >= begun)
      waits.push(Math.max(0, ...during.map(({ ms }) => ms)))
    }
    await load.stop()
    const { table } = await verify(database, Subscription)
    return {
      flips: FLIPS,
      attempts,
      lockedP50: quantile(locked, 0.5),
      lockedMax: quantile(locked, 1),
      waitP50: quantile(waits, 0.5),
      waitMax: quantile(waits, 1),
      writes: load.written.length,
      writeP50: quantile(
        load.written.map(({ ms }) => ms),
        0.5,
      ),
      writeP99: quantile(
        load.written.map(({ ms }) => ms),
        0.99,
      ),
      conflicts: load.conflicts(),
      errors: load.errors(),
      differences: table.differences,
    }
  } finally {
    await load.stop()
    await database.close()
  }
}

function startWriters(url: string, rows: number) {
  const written: Written[] = []
  let stopped = false
  let errors = 0
  let conflicts = 0
  const writer = async (number: number) => {
    const client = new pg.Client({ connectionString: url, application_name: `writer ${number}` })
    await client.connect()
    const isolation = number % 2 === 0 ? 'read committed' : 'repeatable read'
    await client.query(`set default_transaction_isolation = '${isolation}'`)
    while (!stopped) {
      const id = 1 + Math.floor(Math.random() * rows)
      const at = performance.now()
      try {
        await client.query('update public.subscriptions set user_id = user_id + 1 where id = $1', [id])
      } catch (error) {
        // Two writers of one row under REPEATABLE READ: the load's own.
        if ((error as { code?: string }).code === '40001') conflicts += 1
        else errors += 1
      }
      written.push({ at, ms: performance.now() - at })
      // An application thinks, too: and a machine of few cores has others to serve.
      await sleep(2)
    }
    await client.end()
  }
  const all = Promise.all(Array.from({ length: WRITERS }, (_, number) => writer(number)))
  return {
    written,
    conflicts: () => conflicts,
    errors: () => errors,
    stop: async () => {
      stopped = true
      await all
    },
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10
}
