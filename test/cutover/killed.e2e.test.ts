import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { beforeEach, describe, expect, it } from 'vitest'
import { advance, rollback } from '../../src/cutover/index.js'
import { verify } from '../../src/verify/index.js'
import { builtScript } from '../support/built.js'
import { testDatabase } from '../support/database.js'
import { until } from '../support/race.js'
import { Subscription } from '../support/subscription.js'
import { forget, phaseOf, provenSubscriptions } from './proven-table.js'

const SCRIPT = builtScript('cutover-process.ts', import.meta.url)

describe('a process that is killed (kill -9)', () => {
  const db = testDatabase()
  beforeEach(async () => {
    await forget(db)
    await provenSubscriptions(db, 10)
    await db.admin.query('update public.subscriptions set user_id = user_id + 1 where id < 5')
  })

  async function killedAt(step: string, text: string, nth: number) {
    const child = spawn(process.execPath, [SCRIPT, db.url, step, text, String(nth)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
    expect(signal, 'it came to that point').toBe('SIGKILL')
    await until(async () => {
      const { rows } = await db.admin.query<{ n: string }>(
        `select count(*) as n from pg_stat_activity where application_name = 'eventward-child' and datname = current_database()`,
      )
      return rows[0]?.n === '0'
    })
  }

  /** What is kept, but for times and transaction ids. */
  const kept = async () => {
    const { rows } = await db.admin.query(`
      select c.phase, c.epoch, c.state, c.direct_writes, c.verified_run,
        c.verified_fingerprint = eventward.fingerprint(c.relid) as stands,
        (select count(*) from eventward.mismatches) as mismatches,
        (select string_agg(state || ' ' || (outcome ->> 'result'), ', ' order by id)
         from eventward.runs where command = 'cutover' and params ->> 'action' <> 'rehearse') as receipts
      from eventward.captures c`)
    return rows
  }

  const writes = () => db.admin.query('update public.subscriptions set user_id = user_id + 1 where id = 7')

  it.each([
    ['ahead of the lock of the rehearsal', 'in share row exclusive mode', 1],
    ['in the rehearsal, there and not back', 'eventward.flip', 2],
    ['after the rehearsal, ahead of its receipt', 'insert into eventward.runs', 1],
    ['in the verify without a lock', 'pg_visible_in_snapshot', 1],
    ['ahead of the lock', 'in share row exclusive mode', 2],
    ['with the lock, ahead of the flip', 'eventward.flip', 3],
    ['ahead of the receipt that it begins', 'insert into eventward.runs', 2],
    ['flipped, ahead of COMMIT', 'set state =', 2],
  ])(
    'in advance %s leaves dual_write, and nobody waits; run again, it is event_first',
    async (_, text, nth) => {
      const before = await kept()
      await killedAt('advance', text, nth)
      expect(await phaseOf(db)).toBe('dual_write')
      expect(await kept()).toEqual(before)
      await writes()
      expect(await advance(db.database, Subscription)).toMatchObject({ ok: true, to: 'event_first' })
      expect(await phaseOf(db)).toBe('event_first')
      expect(await kept()).toMatchObject([{ stands: 't', receipts: 'complete done', mismatches: '0' }])
      expect((await verify(db.database, Subscription)).table.clean).toBe(true)
    },
  )

  it.each([
    ['ahead of the lock', 'in share row exclusive mode', 'event_first'],
    ['with the lock, ahead of the flip', 'eventward.flip', 'event_first'],
    ['flipped, ahead of its receipt', 'insert into eventward.runs', 'event_first'],
    ['done, while it verifies what was written', 'pg_visible_in_snapshot', 'dual_write'],
  ])(
    'in rollback %s leaves one phase, and nobody waits; run again, it is dual_write',
    async (_, text, phase) => {
      await advance(db.database, Subscription)
      await writes()
      await killedAt('rollback', text, 1)
      expect(await phaseOf(db)).toBe(phase)
      await writes()
      expect(await rollback(db.database, Subscription)).toMatchObject({ ok: true, to: 'dual_write' })
      expect(await phaseOf(db)).toBe('dual_write')
      expect(await kept()).toMatchObject([{ stands: 't', receipts: 'complete done, complete done' }])
      expect((await verify(db.database, Subscription)).table.clean).toBe(true)
    },
  )
})
