import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { builtScript } from '../support/built.js'
import { testDatabase } from '../support/database.js'
import { until } from '../support/race.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

const SCRIPT = builtScript('../support/backfill-process.ts', import.meta.url)
const ROWS = 6_000

/** All events as one text, without what differs between two runs. */
async function history(client: pg.Client): Promise<{ events: string; hash: string }> {
  await client.query(`set timezone = 'UTC'`)
  const { rows } = await client.query<{ events: string; hash: string }>(
    `select count(*) as events,
       md5(string_agg(format('%s %s %s %s %s %s', aggregate_type, aggregate_id, version, type, data, occurred_at), E'\\n'
         order by aggregate_type, aggregate_id, version)) as hash
     from public.events`,
  )
  return rows[0] ?? { events: '', hash: '' }
}

/** Streams whose versions are not 1, 2, ..., or whose positions contradict their versions. */
async function unsound(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ n: string }>(
    `select count(*) as n
     from (
       select version, row_number() over (partition by aggregate_type, aggregate_id order by position) as place
       from public.events
     ) e
     where version <> place`,
  )
  return rows[0]?.n
}

describe('a backfill that is killed', () => {
  const db = testDatabase()
  const clean = testDatabase()
  const processes: ChildProcess[] = []

  beforeEach(async () => {
    for (const { admin } of [db, clean]) await admin.query(createSubscriptions + manySubscriptions(1, ROWS))
    await backfill(clean.database, Subscription)
  })
  afterEach(() => {
    for (const child of processes) child.kill('SIGKILL')
  })

  const start = (options: object): ChildProcess => {
    const child = spawn(process.execPath, [SCRIPT, db.url, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    processes.push(child)
    return child
  }
  const done = async () => {
    const { rows } = await db.admin.query<{ n: string }>(
      `select count(*) as n from eventward.chunks where state = 'done'`,
    )
    return Number(rows[0]?.n)
  }
  const alive = async () => {
    const { rows } = await db.admin.query<{ n: string }>(
      `select count(*) as n from pg_stat_activity where datname = current_database() and application_name = 'eventward-child'`,
    )
    return Number(rows[0]?.n)
  }

  it('in the middle, with two workers as two processes, and run again, ends where a clean run ends', async () => {
    const expected = await history(clean.admin)
    const options = { workers: 1, chunkRows: 100, maxRate: 1500 }
    const pair = [start(options), start(options)]
    // Both take part before they die.
    await until(async () => (await alive()) >= 2 && (await done()) >= 15, {
      withinMs: 60_000,
      what: 'the middle',
    })
    for (const child of pair) child.kill('SIGKILL')
    await Promise.all(pair.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')))
    await until(async () => (await alive()) === 0, { what: 'the dead to be noticed' })

    const middle = await history(db.admin)
    expect(Number(middle.events)).toBeGreaterThan(0)
    expect(Number(middle.events)).toBeLessThan(Number(expected.events))
    const { rows: runs } = await db.admin.query('select count(*) as n from eventward.runs')
    expect(runs).toEqual([{ n: '1' }])

    const result = await backfill(db.database, Subscription, { workers: 2, chunkRows: 100 })
    expect(result).toMatchObject({
      rows: String(ROWS),
      streams: String(ROWS),
      events: expected.events,
      alreadyThere: '0',
      complete: true,
      resumed: true,
      run: '1',
    })
    expect(await history(db.admin)).toEqual(expected)
    expect(await unsound(db.admin)).toBe('0')
  })
})
