import Table from 'cli-table3'
import { captureOn } from '../src/capture/index.js'
import { connect } from '../src/db/index.js'
import { INSTALL_BY_HAND } from './commands/by-hand.js'
import { installEmmett } from './commands/emmett.js'
import { type Fixture, makeFixture } from './fixture.js'
import { BACKFILL_BY_HAND } from './floors.js'
import { medianOf, type Rounds, ratio, runRounds, type Variant } from './rounds.js'
import { runTask } from './run-task.js'
import type { BenchServer } from './server.js'
import { Subscription } from './subscription.js'
import { type Measured, verdict } from './targets.js'

interface CommandsOptions {
  /** Subscriptions, each with its stream. */
  readonly rows: number
  /** Commands of one run. */
  readonly size: number
  readonly rounds: number
  readonly json: boolean
  readonly say: (text: string) => void
}

/** How a form is called, where its events are counted, and its rows. */
const FORMS = {
  emmett: { name: 'Emmett', events: 'public.emt_messages' },
  eventward: { name: 'eventward', events: 'public.events_subscription' },
  roundTrips: { name: 'by hand, five round trips', events: 'bench.hand_events' },
  oneFunction: { name: 'by hand, one SQL function', events: 'bench.hand_events' },
} as const
type Form = keyof typeof FORMS
const CONNECTIONS = [1, 8] as const

/**
 * Commands per second (load, decide, append one event, write the row, in one transaction): Emmett's, ours, and what one
 * would write by hand, in alternating rounds on one server.
 */
export async function measureCommands(on: BenchServer, options: CommandsOptions): Promise<void> {
  const fixture = await makeFixture(on, options.rows)
  try {
    await install(on, fixture)
    const found = new Map<number, Rounds>()
    for (const connections of CONNECTIONS) {
      const variants = (Object.keys(FORMS) as Form[]).map((form) =>
        variantOf(on, fixture, form, connections, options),
      )
      const rounds = await runRounds(variants, options.rounds, (round, name, { outcome }) =>
        options.say(
          `round ${round + 1}, ${connections} connections: ${name.padEnd(26)} ${perSecond(options.size, Number(outcome['ms']))} /s`,
        ),
      )
      found.set(connections, rounds)
    }
    await checkRows(fixture)
    report(found, options)
  } finally {
    await fixture.close()
  }
}

/** Each form has a table and events of its own, with the same histories. */
async function install(on: BenchServer, { client, emptyEvents }: Fixture): Promise<void> {
  await emptyEvents()
  await client.query(BACKFILL_BY_HAND)
  await client.query(`drop schema if exists bench cascade; create schema bench; ${INSTALL_BY_HAND}`)
  await client.query(`
    create table bench.emmett_subscriptions (like public.subscriptions including all);
    insert into bench.emmett_subscriptions table public.subscriptions`)
  await installEmmett(on.url)
  await client.query(FILL_EMMETT)
  const database = await connect({ url: on.url })
  try {
    await captureOn(database, Subscription)
  } finally {
    await database.close()
  }
  await client.query('vacuum (analyze)')
  await client.query('checkpoint')
}

/** By Emmett's own function: one to three events a stream, as the backfill has it. */
const FILL_EMMETT = `
select public.emt_append_to_stream(
  array(select gen_random_uuid()::text from unnest(types)),
  array(select jsonb_build_object('id', id, 'stripe_key', stripe_key, 'activated_at', activated_at) from unnest(types)),
  array(select '{}'::jsonb from unnest(types)),
  array(select '1' from unnest(types)),
  types,
  array(select 'E' from unnest(types)),
  'subscription-' || id, 'subscription', null, 'emt:default')
from (
  select *, case status when 'unpaid' then '{Created}' when 'active' then '{Created,Activated}'
    else '{Created,Activated,Deactivated}' end::text[] as types
  from public.subscriptions
) as s`

function variantOf(
  on: BenchServer,
  { client }: Fixture,
  form: Form,
  connections: number,
  { rows, size }: CommandsOptions,
): Variant {
  const { name, events } = FORMS[form]
  const count = async () => {
    const { rows: found } = await client.query<{ n: string }>(`select count(*) as n from ${events}`)
    return Number(found[0]?.n)
  }
  let before = 0
  return {
    name,
    prepare: async () => {
      before = await count()
      await client.query('checkpoint')
    },
    run: async () => {
      const { peakMb, outcome } = await runTask(on, 'commands', {
        statement: form,
        size,
        from: rows,
        workers: connections,
        pid: on.pid,
      })
      const cpuMs = 'cpu' in outcome ? Number(outcome['cpu']) : null
      return { wallMs: Number(outcome['ms']), cpuMs, peakMb, outcome }
    },
    check: async ({ outcome }) => {
      const appended = (await count()) - before
      if (appended !== outcome['commands'])
        throw new Error(`${name} appended ${appended} events for ${outcome['commands']} commands`)
    },
  }
}

/** The last event of each stream is what its row says. */
async function checkRows({ client }: Fixture): Promise<void> {
  const { rows } = await client.query<{ form: string; n: string }>(`
    with last as (
      select 'eventward' as form, aggregate_id::bigint as id, max(version) as at,
        (array_agg(type order by version desc))[1] as type
      from public.events_subscription where type in ('Activated', 'Deactivated') and version > 1
        and metadata ->> 'source' = 'command' group by 2
      union all
      select 'emmett', substr(stream_id, 14)::bigint, max(stream_position),
        (array_agg(message_type order by stream_position desc))[1]
      from public.emt_messages group by 2
      union all
      select 'hand', stream, max(version), (array_agg(type order by version desc))[1]
      from bench.hand_events where version > 1 group by 2
    ), rows as (
      select 'eventward' as form, id, status from public.subscriptions
      union all select 'emmett', id, status from bench.emmett_subscriptions
      union all select 'hand', id, status from bench.hand_subscriptions
    )
    select form, count(*) as n
    from last join rows using (form, id)
    where status::text is distinct from
      case type when 'Activated' then 'active' when 'Deactivated' then 'inactive' else 'unpaid' end
    group by 1`)
  if (rows.length > 0) throw new Error(`rows differ from their last event: ${JSON.stringify(rows)}`)
}

function report(found: ReadonlyMap<number, Rounds>, { rows, size, json }: CommandsOptions): void {
  const forms = Object.values(FORMS).map(({ name }) => ({
    name,
    perSecond: CONNECTIONS.map((n) => perSecond(size, medianOf(found.get(n) ?? [], name, 'wallMs'))),
    cpuUs: CONNECTIONS.map((n) => micros(size, medianOf(found.get(n) ?? [], name, 'cpuMs'))),
  }))
  const measured = CONNECTIONS.flatMap((n) =>
    (['emmett', 'roundTrips', 'oneFunction'] as const).map((other) => line(found.get(n) ?? [], n, other)),
  )
  if (json) {
    const ratios = measured.map((each) => ({ ...each, verdict: verdictOf(each) }))
    return void process.stdout.write(`${JSON.stringify({ v: 1, rows, commands: size, forms, ratios })}\n`)
  }
  const table = new Table({
    head: ['median of rounds', ...CONNECTIONS.flatMap((n) => [`commands/s, ${n} conn.`, 'cpu µs each'])],
  })
  for (const { name, perSecond: rates, cpuUs } of forms)
    table.push([name, ...rates.flatMap((rate, index) => [String(rate ?? ''), String(cpuUs[index] ?? '')])])
  const wanted = new Table({ head: ['ratio', 'commands/s', 'cpu', 'first', 'then', 'meets'] })
  for (const each of measured)
    wanted.push([
      each.what,
      each.wall?.toFixed(2) ?? '',
      each.cpu?.toFixed(2) ?? '',
      each.first === 0 ? '' : String(each.first),
      each.then === 0 ? '' : String(each.then),
      verdictOf(each),
    ])
  console.log(`${table.toString()}\n${wanted.toString()}`)
}

/** Commands per second of ours over those of the other are its time over ours. Only of Emmett something is wanted. */
function line(rounds: Rounds, connections: number, other: Exclude<Form, 'eventward'>): Measured {
  const [first, then] = other === 'emmett' ? [2.5, 4] : [0, 0]
  return {
    what: `eventward / ${FORMS[other].name}, ${connections} conn.`,
    wall: ratio(rounds, FORMS[other].name, FORMS.eventward.name, 'wallMs'),
    cpu: ratio(rounds, FORMS[other].name, FORMS.eventward.name, 'cpuMs'),
    first,
    then,
    decides: 'wall',
    atLeast: true,
  }
}

const verdictOf = (each: Measured) => (each.first === 0 ? '' : verdict(each))
const perSecond = (size: number, ms: number | null) => (ms === null ? null : Math.round((size / ms) * 1_000))
const micros = (size: number, ms: number | null) => (ms === null ? null : Math.round((ms / size) * 1_000))
