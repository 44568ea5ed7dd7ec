/** `npm run bench -- [--rows N] [--rounds N] [--only backfill|verify|capture|flips|replay|as-of|transfer|emmett] [--commands N] [--memory] [--fsync off] [--json]`: see docs/benchmarks.md. */
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { measureAsOf } from './as-of.js'
import { measureCapture } from './capture.js'
import { measureCommands } from './commands.js'
import { type Fixture, makeFixture } from './fixture.js'
import { measureFlips } from './flips.js'
import { BACKFILL_BY_HAND, VERIFY_BY_HAND } from './floors.js'
import { measureMemory } from './memory.js'
import { measureReplay } from './replay.js'
import { medianOf, type Rounds, runRounds, type Variant } from './rounds.js'
import { buildTasks, type Cost, runTask } from './run-task.js'
import { type BenchServer, startServer } from './server.js'
import { measure, VARIANTS, verdict } from './targets.js'
import { measureTransfer } from './transfer.js'

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    /** Rows of a backfill's chunk. */
    size: { type: 'string', default: '5000' },
    only: { type: 'string' },
    /** Commands of one run, of `--only emmett`. */
    commands: { type: 'string', default: '3000' },
    memory: { type: 'boolean', default: false },
    fsync: { type: 'string', default: 'on' },
    json: { type: 'boolean', default: false },
  },
})

const say = (text: string) => process.stderr.write(`${text}\n`)

await buildTasks()
const server = await startServer({ fsync: options.fsync === 'on' })
try {
  if (options.memory) await memory(server)
  else if (options.only === 'flips')
    await measureFlips(server, { rows: Number(options.rows), json: options.json })
  else if (options.only === 'replay')
    await measureReplay(server, { rows: Number(options.rows), json: options.json })
  else if (options.only === 'transfer')
    await measureTransfer(server, { rows: Number(options.rows), json: options.json })
  else if (options.only === 'as-of')
    await measureAsOf(server, {
      rows: Number(options.rows),
      rounds: Number(options.rounds),
      json: options.json,
    })
  else if (options.only === 'capture')
    await measureCapture(server, {
      rows: Number(options.rows),
      rounds: Number(options.rounds),
      json: options.json,
      say,
    })
  else if (options.only === 'emmett')
    await measureCommands(server, {
      rows: Number(options.rows),
      size: Number(options.commands),
      rounds: Number(options.rounds),
      json: options.json,
      say,
    })
  else await ratios(server)
} finally {
  await server.stop()
}

async function ratios(on: BenchServer): Promise<void> {
  const rows = Number(options.rows)
  const fixture = await makeFixture(on, rows)
  try {
    const digest = await byHand(on, fixture)
    const events = (JSON.parse(digest) as { events: string }[]).reduce(
      (sum, type) => sum + Number(type.events),
      0,
    )
    say(`${rows} rows, ${events} events (${(events / rows).toFixed(2)} a row), fsync ${options.fsync}`)
    const run = async (variants: readonly Variant[]) => runRounds(variants, Number(options.rounds), tell)
    const rounds = [
      ...(options.only === 'verify' ? [] : await run(backfillVariants(on, fixture, digest))),
      ...(options.only === 'backfill' ? [] : await run(await verifyVariants(on, fixture, events))),
    ]
    report({ rows, events, eventsPerRow: events / rows, fsync: options.fsync }, rounds)
  } finally {
    await fixture.close()
  }
}

/** What the hand-written statement stores: ours must be the same. */
async function byHand(on: BenchServer, fixture: Fixture): Promise<string> {
  await fixture.emptyEvents()
  await runTask(on, 'statement', { statement: BACKFILL_BY_HAND })
  return fixture.digest()
}

function backfillVariants(on: BenchServer, fixture: Fixture, digest: string): readonly Variant[] {
  const [hand, one, two, knex] = VARIANTS.backfill
  const prepare = fixture.emptyEvents
  const size = Number(options.size)
  const check = async () => {
    const found = await fixture.digest()
    if (found !== digest)
      throw new Error(`the backfill wrote other events:\n${found}\nthan the statement by hand:\n${digest}`)
  }
  const ours = (name: string, workers: number): Variant => ({
    name,
    prepare,
    run: () => runTask(on, 'backfill', { workers, size }),
    check,
  })
  return [
    { name: hand, prepare, run: () => runTask(on, 'statement', { statement: BACKFILL_BY_HAND }) },
    ours(one, 1),
    ours(two, 2),
    { name: knex, prepare, run: () => runTask(on, 'knex') },
  ]
}

async function verifyVariants(
  on: BenchServer,
  fixture: Fixture,
  events: number,
): Promise<readonly Variant[]> {
  const [hand, sqlOne, sqlTwo, replay] = VARIANTS.verify
  await fixture.emptyEvents()
  await runTask(on, 'backfill', { workers: 2, size: Number(options.size) })
  await fixture.settle()
  const check = async ({ outcome }: Cost) => {
    if (outcome['differences'] !== 0 || outcome['events'] !== events)
      throw new Error(`verify met ${JSON.stringify(outcome)}, not ${events} events without difference`)
  }
  const ours = (name: string, engine: 'sql' | 'replay', workers: number): Variant => ({
    name,
    run: () => runTask(on, 'verify', { engine, workers }),
    check,
  })
  return [
    { name: hand, run: () => runTask(on, 'statement', { statement: VERIFY_BY_HAND }) },
    ours(sqlOne, 'sql', 1),
    ours(sqlTwo, 'sql', 2),
    ours(replay, 'replay', 1),
  ]
}

async function memory(on: BenchServer): Promise<void> {
  const found = await measureMemory(on, [100_000, 1_000_000])
  if (options.json) return void process.stdout.write(`${JSON.stringify({ v: 1, memory: found })}\n`)
  const table = new Table({
    head: ['peak of the Node process, MB', ...found.map(({ rows }) => `${rows} rows`)],
  })
  const names = Object.keys(found[0]?.peakMb ?? {})
  for (const name of names) table.push([name, ...found.map(({ peakMb }) => peakMb[name]?.toFixed(0) ?? '')])
  console.log(`${table.toString()}\nwanted: 150 at first, then 110`)
}

function tell(round: number, name: string, { wallMs, cpuMs, peakMb }: Cost): void {
  say(
    `round ${round + 1}: ${name.padEnd(26)} ${fixed(wallMs, 0)} ms, cpu ${fixed(cpuMs, 0)} ms, peak ${fixed(peakMb, 0)} MB`,
  )
}

function report(data: Readonly<Record<string, unknown>>, rounds: Rounds): void {
  const measured = measure(rounds)
  const names = [...VARIANTS.backfill, ...VARIANTS.verify].filter(
    (name) => medianOf(rounds, name, 'wallMs') !== null,
  )
  const medians = names.map((name) => ({
    name,
    wallMs: medianOf(rounds, name, 'wallMs'),
    cpuMs: medianOf(rounds, name, 'cpuMs'),
    peakMb: medianOf(rounds, name, 'peakMb'),
  }))
  if (options.json) {
    const ratios = measured.map((line) => ({ ...line, verdict: verdict(line) }))
    return void process.stdout.write(`${JSON.stringify({ v: 1, ...data, ratios, medians })}\n`)
  }
  const times = new Table({ head: ['median', 'wall ms', 'cpu ms', 'peak MB'] })
  for (const { name, wallMs, cpuMs, peakMb } of medians)
    times.push([name, fixed(wallMs, 0), fixed(cpuMs, 0), fixed(peakMb, 0)])
  const table = new Table({
    head: ['ratio, median of rounds', 'wall', 'cpu', 'decides', 'first', 'then', 'meets'],
  })
  for (const line of measured)
    table.push([
      line.what,
      fixed(line.wall, 2),
      fixed(line.cpu, 2),
      line.decides,
      String(line.first),
      String(line.then),
      verdict(line),
    ])
  console.log(`${times.toString()}\n${table.toString()}`)
}

function fixed(value: number | null, digits: number): string {
  return value === null ? '' : value.toFixed(digits)
}
