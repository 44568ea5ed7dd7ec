import { backfill } from '../src/backfill/index.js'
import { connect } from '../src/db/index.js'
import { timeMachineOn } from '../src/timemachine/index.js'
import { type Fixture, makeFixture } from './fixture.js'
import type { BenchServer } from './server.js'
import { Subscription } from './subscription.js'

/** Times as texts: after all events, in the middle of them, and a report that joins two moments. */
const ASKED = [
  ['now', `select count(*) as rows from eventward.subscriptions_as_of('infinity')`],
  ['the middle', `select count(*) as rows from eventward.subscriptions_as_of($MIDDLE)`],
  [
    'what changed since the middle',
    `select count(*) as rows
     from eventward.subscriptions_as_of('infinity') n
     left join eventward.subscriptions_as_of($MIDDLE) o using (id)
     where o.id is null or o.status <> n.status`,
  ],
] as const

/** Asks for a whole table as of a time, several times each, and prints the median and how many events that is. */
export async function measureAsOf(
  on: BenchServer,
  { rows, rounds, json }: { rows: number; rounds: number; json: boolean },
): Promise<void> {
  const fixture = await makeFixture(on, rows)
  try {
    await fixture.emptyEvents()
    const database = await connect({ url: on.url, max: 2 })
    try {
      await backfill(database, Subscription)
      await database.session((session) => timeMachineOn(session, Subscription))
    } finally {
      await database.close()
    }
    await fixture.settle()
    const { events, middle } = await countEvents(fixture)
    const asked = []
    for (const [what, text] of ASKED) {
      asked.push({ what, ...(await median(fixture, text.replaceAll('$MIDDLE', `'${middle}'`), rounds)) })
    }
    if (json) return void process.stdout.write(`${JSON.stringify({ v: 1, rows, events, asked })}\n`)
    console.log(`${events} events of ${rows} rows`)
    for (const one of asked) console.log(`${one.what}: ${one.found} rows in ${one.ms} ms`)
  } finally {
    await fixture.close()
  }
}

async function countEvents({ client }: Fixture) {
  const { rows } = await client.query<{ events: string; middle: string }>(
    `select count(*)::text as events,
       (percentile_disc(0.5) within group (order by occurred_at))::text as middle
     from public.events`,
  )
  return rows[0] ?? { events: '0', middle: 'infinity' }
}

async function median({ client }: Fixture, text: string, rounds: number) {
  const times: number[] = []
  let found = '0'
  for (let round = 0; round < rounds; round += 1) {
    const begun = performance.now()
    const { rows } = await client.query<{ rows: string }>(text)
    times.push(performance.now() - begun)
    found = String(rows[0]?.rows ?? 0)
  }
  times.sort((a, b) => a - b)
  return { found, ms: Math.round(times[Math.floor(times.length / 2)] ?? 0) }
}
