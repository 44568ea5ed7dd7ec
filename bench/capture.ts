import Table from 'cli-table3'
import { captureOn } from '../src/capture/index.js'
import { connect } from '../src/db/index.js'
import { FORMS, type Form, forms, type Write } from './capture-forms.js'
import { type Fixture, makeFixture } from './fixture.js'
import { BACKFILL_BY_HAND } from './floors.js'
import { medianOf, type Rounds, ratio, runRounds, type Variant } from './rounds.js'
import { type Cost, runTask } from './run-task.js'
import type { BenchServer } from './server.js'
import { Subscription } from './subscription.js'
import { type Measured, verdict } from './targets.js'

/** Transactions of one run. */
const SINGLE = 2_000

interface CaptureOptions {
  readonly rows: number
  readonly rounds: number
  readonly json: boolean
  readonly say: (text: string) => void
}

/** Measures single updates, inserts, and an update of all rows, under each form of capture. */
export async function measureCapture(on: BenchServer, options: CaptureOptions): Promise<void> {
  const fixture = await makeFixture(on, options.rows)
  const all = forms(options.rows)
  try {
    await fixture.emptyEvents()
    await install(on, fixture, all)
    const found: Record<Write, Rounds> = { update: [], insert: [], bulk: [] }
    for (const write of ['update', 'insert', 'bulk'] as const) {
      const tell = (round: number, name: string, { wallMs, cpuMs }: Cost) =>
        options.say(
          `${write}, round ${round + 1}: ${name.padEnd(34)} ${wallMs.toFixed(0)} ms, server cpu ${cpuMs ?? '?'} ms`,
        )
      const variants = all.map((form) => variantOf(on, fixture, form, write))
      found[write] = await runRounds(variants, options.rounds, tell)
    }
    await checkEvents(fixture, options)
    report(found, options)
  } finally {
    await fixture.close()
  }
}

/** A table and an events table of its own for each form, each row with its stream. */
async function install(on: BenchServer, { client }: Fixture, all: readonly Form[]): Promise<void> {
  await client.query(BACKFILL_BY_HAND)
  await client.query('create schema bench')
  for (const { table, events, install: triggers } of all) {
    if (!table.startsWith('bench.')) continue
    await client.query(`
      create table ${table} (like public.subscriptions including all);
      insert into ${table} table public.subscriptions;
      create table ${events} (like public.events_subscription including all);
      insert into ${events} table public.events_subscription;
      ${triggers}`)
  }
  const database = await connect({ url: on.url })
  try {
    await captureOn(database, Subscription)
  } finally {
    await database.close()
  }
  for (const { table, events } of all) await client.query(`vacuum (freeze, analyze) ${table}, ${events}`)
}

function variantOf(on: BenchServer, { client }: Fixture, form: Form, write: Write): Variant {
  let from = 0
  const size = write === 'bulk' ? 1 : SINGLE
  return {
    name: form.name,
    prepare: async () => {
      if (write === 'bulk') await client.query(`vacuum ${form.table}`)
      await client.query('checkpoint')
    },
    run: async () => {
      const { peakMb, outcome } = await runTask(on, 'capture', {
        statement: form.statement(write),
        size,
        from,
        pid: on.pid,
      })
      // No run meets the rows, or the keys, of another.
      from += size * 2
      return {
        wallMs: Number(outcome['ms']),
        cpuMs: 'cpu' in outcome ? Number(outcome['cpu']) : null,
        peakMb,
        outcome,
      }
    },
  }
}

/** Ours wrote an event for each write, and by the fast path. */
async function checkEvents({ client }: Fixture, { rows, rounds }: CaptureOptions): Promise<void> {
  const { rows: found } = await client.query<{ events: string; cold: string }>(
    `select count(*)::text as events, count(*) filter (where metadata ? 'cold')::text as cold
     from public.events_subscription
     where metadata ->> 'source' = 'trigger'`,
  )
  const wanted = rounds * (rows + 2 * (SINGLE + 200))
  if (found[0]?.events !== String(wanted) || found[0].cold !== '0')
    throw new Error(`capture stored ${JSON.stringify(found[0])}, not ${wanted} events`)
}

function report(found: Readonly<Record<Write, Rounds>>, { rows, json }: CaptureOptions): void {
  const names = Object.values(FORMS)
  const median = (write: Write, name: string, by: 'wallMs' | 'cpuMs') => medianOf(found[write], name, by)
  const forms = names.map((name) => ({
    name,
    update: {
      ofNone: inverse(ratio(found.update, name, FORMS.none, 'wallMs')),
      cpuOfNone: ratio(found.update, name, FORMS.none, 'cpuMs'),
      tps: perSecond(median('update', name, 'wallMs')),
      cpuUs: perWrite(median('update', name, 'cpuMs')),
    },
    insert: {
      ofNone: inverse(ratio(found.insert, name, FORMS.none, 'wallMs')),
      cpuOfNone: ratio(found.insert, name, FORMS.none, 'cpuMs'),
      tps: perSecond(median('insert', name, 'wallMs')),
      cpuUs: perWrite(median('insert', name, 'cpuMs')),
    },
    bulk: { ofNone: ratio(found.bulk, name, FORMS.none, 'wallMs'), ms: median('bulk', name, 'wallMs') },
  }))
  const ratios = targets(found)
  if (json) {
    const told = ratios.map((line) => ({ ...line, verdict: verdict(line) }))
    return void process.stdout.write(`${JSON.stringify({ v: 1, rows, forms, ratios: told })}\n`)
  }
  const table = new Table({
    head: [
      'median of rounds',
      'update: tps / none',
      'cpu / none',
      'cpu µs',
      'insert: tps / none',
      'cpu / none',
      'cpu µs',
      `${rows} rows: time / none`,
    ],
  })
  for (const { name, update, insert, bulk } of forms)
    table.push([
      name,
      two(update.ofNone),
      two(update.cpuOfNone),
      two(update.cpuUs, 0),
      two(insert.ofNone),
      two(insert.cpuOfNone),
      two(insert.cpuUs, 0),
      two(bulk.ofNone),
    ])
  const wanted = new Table({ head: ['ratio', 'wall', 'cpu', 'decides', 'first', 'then', 'meets'] })
  for (const line of ratios)
    wanted.push([
      line.what,
      two(line.wall),
      two(line.cpu),
      line.decides,
      String(line.first),
      String(line.then),
      verdict(line),
    ])
  console.log(`${table.toString()}\n${wanted.toString()}`)
}

/** Where we want to be: transactions per second of ours over those of another are its time over ours. */
function targets(found: Readonly<Record<Write, Rounds>>): readonly Measured[] {
  const { ours, audit, compiled, floor } = FORMS
  const line = (
    write: Write,
    of: string,
    to: string,
    [first, then]: readonly [number, number],
    rest: Pick<Measured, 'what' | 'decides' | 'atLeast'>,
  ): Measured => ({
    ...rest,
    wall: ratio(found[write], of, to, 'wallMs'),
    cpu: ratio(found[write], of, to, 'cpuMs'),
    first,
    then,
  })
  const tps = { decides: 'wall', atLeast: true } as const
  return [
    line('update', audit, ours, [0.9, 1.05], { what: 'update: tps / audit trigger', ...tps }),
    line('update', compiled, ours, [0.9, 1], { what: 'update: tps / unguarded', ...tps }),
    line('update', ours, floor, [1.4, 1.15], { what: 'update: cpu / floor', decides: 'cpu', atLeast: false }),
    line('bulk', ours, audit, [1.1, 0.9], {
      what: 'all rows: time / audit trigger',
      decides: 'wall',
      atLeast: false,
    }),
  ]
}

const inverse = (value: number | null) => (value === null ? null : 1 / value)
const perSecond = (ms: number | null) => (ms === null ? null : (SINGLE / ms) * 1_000)
const perWrite = (ms: number | null) => (ms === null ? null : (ms / SINGLE) * 1_000)
const two = (value: number | null, digits = 2) => (value === null ? '' : value.toFixed(digits))
