import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, type Database } from '../db/index.js'
import { type EventwardError, GateError, StoppedError } from '../errors/index.js'
import { startDemoServer } from './demo-server.js'
import type { DemoStep } from './demo-step.js'
import { demoSteps, type Planned } from './demo-steps.js'
import { createLegacyDatabase } from './legacy-database.js'

export interface DemoOptions {
  readonly signal?: AbortSignal
  /** Told of each step once it's done. */
  readonly onStep?: (step: DemoStep) => void
}

export interface DemoResult {
  readonly ok: boolean
  readonly seconds: number
  readonly steps: readonly DemoStep[]
  /** The table after the move: counts, and whether it was clean before anything was planted. */
  readonly tables: readonly DemoTable[]
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
 * The whole move of one table, on a PostgreSQL of its own that is removed at the end: from an application's table to
 * events that explain every row, and the proof that a planted corruption is found. Stops at the first step that is not
 * as it must be.
 *
 * @throws UsageError EW_DEMO_NO_POSTGRES; DatabaseError EW_DEMO_SERVER; StoppedError EW_STOPPED
 */
export async function demo({ signal, onStep }: DemoOptions = {}): Promise<DemoResult> {
  const began = performance.now()
  const steps: DemoStep[] = []
  const server = await startDemoServer()
  let database: Database | undefined
  try {
    const legacy = await createLegacyDatabase(server.url)
    database = await connect({ url: legacy.url, max: 6, applicationName: 'eventward demo' })
    const folder = join(server.folder, 'project')
    await mkdir(folder)
    const planned = demoSteps({ ...legacy, database, folder, version: server.version })
    for (const step of planned) {
      if (signal?.aborted === true) throw stopped()
      const done = await run(step)
      steps.push(done)
      onStep?.(done)
      if (done.problems.length > 0) break
    }
    return resultOf(steps, began)
  } catch (error) {
    throw signal?.aborted === true ? stopped(error) : error
  } finally {
    await database?.close()
    await server.stop()
  }
}

async function run({ name, command, says, work }: Planned): Promise<DemoStep> {
  const began = performance.now()
  const { found, problems } = await work()
  return { name, command, says, seconds: secondsSince(began), found, problems }
}

function resultOf(steps: readonly DemoStep[], began: number): DemoResult {
  const problems = steps.flatMap((step) => step.problems.map((problem) => `${step.name}: ${problem}`))
  const result = { seconds: secondsSince(began), steps, tables: tablesOf(steps) }
  if (problems.length === 0) return { ok: true, ...result }
  const error = new GateError('EW_DEMO_UNEXPECTED', problems.join('; '), {
    next: 'Report it, with the output of `eventward demo --json`.',
    details: { problems },
  })
  return { ok: false, ...result, error }
}

/** From the first verify: the one before anything was planted. */
function tablesOf(steps: readonly DemoStep[]): readonly DemoTable[] {
  const verified = steps.map(({ found }) => found).find(({ kind }) => kind === 'verified')
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
