import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, type Database } from '../db/index.js'
import { type EventwardError, GateError, StoppedError } from '../errors/index.js'
import { DEMO_ROWS } from './demo-data.js'
import { startDemoServer } from './demo-server.js'
import type { DemoStep } from './demo-step.js'
import { demoSteps } from './demo-steps.js'
import { createLegacyDatabase } from './legacy-database.js'
import { type Load, startLoad } from './load/start-load.js'
import { type LoadSummary, summaryOf } from './load-summary.js'
import { RESERVED_KEYS } from './plant-corruption.js'
import { readRows } from './reconcile-load.js'
import type { Planned } from './steps/step-context.js'

export interface DemoOptions {
  readonly signal?: AbortSignal
  /** Told of each step once it's done. */
  readonly onStep?: (step: DemoStep) => void
}

export interface DemoResult {
  readonly ok: boolean
  readonly seconds: number
  readonly steps: readonly DemoStep[]
  /** The table at the end. */
  readonly tables: readonly DemoTable[]
  /** What the application's writers did and saw; null where the demo did not come so far. */
  readonly load: LoadSummary | null
  readonly error?: EventwardError
}

export interface DemoTable {
  readonly table: string
  readonly rows: string
  readonly streams: string
  readonly events: string
  readonly clean: boolean
}

/**
 * The whole move of one table, on a PostgreSQL of its own that is removed at the end: capture, backfill, proof, there,
 * back and there again, while four writers go on; the proof that a planted corruption is found; and that what the
 * writers say they did is what the rows and the events say. Stops at the first step that is not as it must be.
 *
 * @throws UsageError EW_DEMO_NO_POSTGRES; DatabaseError EW_DEMO_SERVER; StoppedError EW_STOPPED
 */
export async function demo({ signal, onStep }: DemoOptions = {}): Promise<DemoResult> {
  const began = performance.now()
  const steps: DemoStep[] = []
  const server = await startDemoServer()
  let database: Database | undefined
  let load: Load | undefined
  try {
    const legacy = await createLegacyDatabase(server.url)
    database = await connect({ url: legacy.url, max: 6, applicationName: 'eventward demo' })
    const folder = join(server.folder, 'project')
    await mkdir(folder)
    load = startLoad({ url: legacy.url, rows: DEMO_ROWS, reserved: RESERVED_KEYS })
    const context = {
      ...legacy,
      database,
      folder,
      version: server.version,
      load,
      before: await readRows(database),
      captured: null,
      ...(signal === undefined ? {} : { signal }),
    }
    for (const step of demoSteps(context)) {
      if (signal?.aborted === true) throw stopped()
      const done = await run(step, load)
      steps.push(done)
      onStep?.(done)
      if (done.problems.length > 0) break
    }
    return resultOf(steps, began)
  } catch (error) {
    throw signal?.aborted === true ? stopped(error) : error
  } finally {
    await load?.end()
    await database?.close()
    await server.stop()
  }
}

async function run({ name, command, says, work }: Planned, load: Load): Promise<DemoStep> {
  const began = performance.now()
  const { found, problems } = await work()
  const seen = await load.look()
  const writers = seen.plain.transactions + seen.commands.transactions === 0 ? null : seen
  return { name, command, says, seconds: secondsSince(began), found, writers, problems }
}

function resultOf(steps: readonly DemoStep[], began: number): DemoResult {
  const problems = steps.flatMap((step) => step.problems.map((problem) => `${step.name}: ${problem}`))
  const result = { seconds: secondsSince(began), steps, tables: tablesOf(steps), load: summaryOf(steps) }
  if (problems.length === 0) return { ok: true, ...result }
  const error = new GateError('EW_DEMO_UNEXPECTED', problems.join('; '), {
    next: 'Report it, with the output of `eventward demo --json`.',
    details: { problems },
  })
  return { ok: false, ...result, error }
}

/** From the last verify. */
function tablesOf(steps: readonly DemoStep[]): readonly DemoTable[] {
  const verified = steps.map(({ found }) => found).findLast(({ kind }) => kind === 'verified')
  if (verified?.kind !== 'verified') return []
  const { table, rows, streams, events, clean } = verified.table
  return [{ table, rows, streams, events, clean }]
}

function secondsSince(began: number): number {
  return Math.round(performance.now() - began) / 1000
}

function stopped(cause?: unknown): StoppedError {
  return new StoppedError('EW_STOPPED', 'the demo was stopped', {
    next: 'Its server and its files are removed; run it again whenever you like.',
    cause,
  })
}
