import pg from 'pg'
import { backfill } from '../../src/backfill/index.js'
import { captureOn } from '../../src/capture/index.js'
import { applicationKnex, connect } from '../../src/db/index.js'
import { defineProjection, projectionRunner, replay as replayProjection } from '../../src/project/index.js'
import { defineCommand, eventsOf } from '../../src/runtime/index.js'
import { Subscription } from '../subscription.js'
import type { Outcome, TaskOptions } from '../task.js'

const { Created, Activated, Deactivated } = eventsOf(Subscription)
const COMMANDERS = 2
const READERS = 1

/** A row a stream: how often it was activated, by counting, so that an event that is lost or doubled shows. */
const projection = defineProjection({
  name: 'activations',
  version: 1,
  mode: 'async',
  create: (schema, table) =>
    schema.createTable(table, (t) => {
      t.text('id').primary()
      t.bigInteger('events').notNullable()
      t.bigInteger('activated').notNullable()
    }),
  on: (on) => {
    on([Created, Activated, Deactivated], (event, { trx, table }) =>
      trx.raw(
        `insert into ?? as t (id, events, activated) values (?, 1, ?)
         on conflict (id) do update set events = t.events + 1, activated = t.activated + excluded.activated`,
        [table, event.id, event.type === 'Activated' ? 1 : 0],
      ),
    )
  },
})
const Activate = defineCommand({
  name: 'Activate',
  aggregate: Subscription,
  build: () => ({ type: 'Activated', data: { stripe_key: 'sub_bench' } }),
})

/** Builds a projection of a table's history, then once more while commands write and readers read. Times in ms. */
export async function replay(url: string, { size }: TaskOptions): Promise<Outcome> {
  const database = await connect({ url, max: 4 })
  const knex = applicationKnex({ url, applicationName: 'replay', max: 2 })
  const commands = applicationKnex({ url, applicationName: 'commands', max: COMMANDERS })
  const load = {
    on: true,
    commandMs: [0],
    readMs: [0],
    commands: 0,
    reads: 0,
    failedReads: 0,
    failedCommands: 0,
  }
  try {
    await captureOn(database, Subscription)
    await backfill(database, Subscription, { workers: 2 })
    const first = await replayProjection(knex, projection)
    const commanders = Array.from({ length: COMMANDERS }, async () => {
      while (load.on) {
        const at = performance.now()
        const id = 1 + Math.floor(Math.random() * size)
        await Activate.call(commands, { id }).then(
          () => {
            load.commands += 1
          },
          () => {
            load.failedCommands += 1
          },
        )
        load.commandMs.push(performance.now() - at)
        await pause(10)
      }
    })
    const readers = Array.from({ length: READERS }, async () => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      while (load.on) {
        const at = performance.now()
        const id = String(1 + Math.floor(Math.random() * size))
        await client.query('select * from public.activations where id = $1', [id]).then(
          ({ rows }) => {
            load.reads += 1
            if (rows.length !== 1) load.failedReads += 1
          },
          () => {
            load.failedReads += 1
          },
        )
        load.readMs.push(performance.now() - at)
        await pause(5)
      }
      await client.end()
    })
    const second = await replayProjection(knex, projection)
    load.on = false
    await Promise.all([...commanders, ...readers])
    await projectionRunner({ knex, projections: [projection] }).once()
    return {
      firstEvents: first.events,
      firstPerSecond: first.eventsPerSecond ?? 0,
      events: second.events,
      perSecond: second.eventsPerSecond ?? 0,
      seconds: second.seconds,
      lastEvents: second.lastEvents,
      lockedMs: second.lockedMs ?? 0,
      commands: load.commands,
      failedCommands: load.failedCommands,
      commandMax: max(load.commandMs),
      reads: load.reads,
      failedReads: load.failedReads,
      readMax: max(load.readMs),
      parityOnlyOld: second.parity?.onlyOld ?? '-',
      parityOnlyNew: second.parity?.onlyNew ?? '-',
      differences: await differences(url),
    }
  } finally {
    load.on = false
    await knex.destroy()
    await commands.destroy()
    await database.close()
  }
}

/** Streams of which the view says other than the log. */
async function differences(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ n: string }>(`
      select count(*) as n
      from public.activations a
      full join (
        select aggregate_id as id, count(*) as events, count(*) filter (where type = 'Activated') as activated
        from public.events
        where type in ('Created', 'Activated', 'Deactivated')
        group by 1
      ) e using (id)
      where (a.events, a.activated) is distinct from (e.events, e.activated)`)
    return rows[0]?.n ?? ''
  } finally {
    await client.end()
  }
}

function max(values: readonly number[]): number {
  return Math.round(values.reduce((a, b) => Math.max(a, b), 0) * 10) / 10
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
