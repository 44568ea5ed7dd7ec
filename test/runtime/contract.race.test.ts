/** The contract of commands: 8 connections on one row, and processes that die in the middle of it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { builtScript } from '../support/built.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { until } from '../support/race.js'
import { CONNECTIONS, Counter, createCounters } from './counter.js'

const CHILD = builtScript('counter-process.ts', import.meta.url)
/** All of it takes minutes: `CONTRACT_COMMANDS=10000`. */
const COMMANDS = Number(process.env['CONTRACT_COMMANDS'] ?? '400')
const EACH = COMMANDS / CONNECTIONS

describe(`${COMMANDS} commands by ${CONNECTIONS} connections on one row`, () => {
  const db = testDatabase()
  const children: ChildProcess[] = []
  beforeAll(async () => {
    await db.admin.query(createCounters)
    await db.admin.query('insert into public.counters values (1, 0)')
    await installCapture(db.database, Counter)
  })
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  function start(what: string) {
    const child = spawn(process.execPath, [CHILD, db.url, what, String(EACH)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    return child
  }
  const number = async (query: string) => Number((await db.admin.query(query)).rows[0]?.['n'])
  const value = () => number('select value as n from public.counters where id = 1')

  it('lose nothing and do nothing twice, though they and the worker are killed in the middle', async () => {
    const [first, worker] = [start('count'), start('work')]
    await until(async () => (await value()) >= COMMANDS / 3, { what: 'a third', withinMs: 200_000 })
    await until(async () => (await number('select count(*) as n from public.effects')) > 20, {
      what: 'the worker is at it',
      withinMs: 60_000,
    })
    first.kill('SIGKILL')
    worker.kill('SIGKILL')
    await Promise.all([once(first, 'exit'), once(worker, 'exit')])
    expect(await value()).toBeLessThan(COMMANDS)

    const [second, next] = [start('count'), start('work')]
    const { conflicts } = JSON.parse(
      await text(second.stdout as NodeJS.ReadableStream & AsyncIterable<Buffer>),
    ) as {
      conflicts: number
    }
    await until(
      async () => (await number('select count(*) as n from eventward_worker._private_jobs')) === 0,
      {
        what: 'all jobs are done',
        withinMs: 120_000,
      },
    )
    next.kill('SIGTERM')
    expect(await once(next, 'exit')).toEqual([0, null])

    // No update is lost.
    expect(await value()).toBe(COMMANDS)
    // Versions are dense, and each event counts one up from the one before it.
    expect(
      await number(`
        select count(*) as n
        from public.events_counter
        where version = 1 + (data ->> 'value')::int`),
    ).toBe(COMMANDS + 1)
    expect(await number('select max(version) as n from public.events_counter')).toBe(COMMANDS + 1)
    // Optimistic ones met others, and were called again.
    expect(conflicts).toBeGreaterThan(0)
    // In the event's transaction: once. After it: once with a receipt, else at least once.
    const events = `select position from public.events_counter where type = 'Counted'`
    for (const what of ['public.touched', `public.effects where reactor = 'exactly'`]) {
      expect(
        await number(`select count(*) as n from (${events} except select position from ${what}) x`),
      ).toBe(0)
      expect(await number(`select count(*) as n from ${what}`)).toBe(COMMANDS)
    }
    const least = `public.effects where reactor = 'least'`
    expect(await number(`select count(distinct position) as n from ${least}`)).toBe(COMMANDS)
    expect(await number(`select count(*) - ${COMMANDS} as n from ${least}`)).toBeLessThan(10)
  }, 400_000)
})
