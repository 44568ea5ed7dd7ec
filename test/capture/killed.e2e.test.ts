/** kill -9 in the middle of turning capture on or off, or of a restart beside capture; and run again. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { beforeEach, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { captureOff, captureOn, captureStatus } from '../../src/capture/index.js'
import { captureNames } from '../../src/sql/index.js'
import { verify } from '../../src/verify/index.js'
import { builtScript } from '../support/built.js'
import { testDatabase } from '../support/database.js'
import { until } from '../support/race.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

const SCRIPT = builtScript('capture-process.ts', import.meta.url)
const { slug } = captureNames('Subscription')

describe('a process that is killed (kill -9)', () => {
  const db = testDatabase()

  beforeEach(async () => {
    const { rows } = await db.admin.query<{ statement: string }>(`
      select format('drop table %I.%I', schemaname, tablename) as statement
      from pg_tables where schemaname = 'public' and tablename like 'events\\_%'
      union all
      select format('drop function %s cascade', p.oid::regprocedure)
      from pg_proc p where p.pronamespace = 'eventward'::regnamespace and p.proname like '%${slug}'`)
    for (const { statement } of rows) await db.admin.query(statement)
    await db.admin.query(`
      drop table if exists public.subscriptions;
      drop type if exists public.subscription_status;
      delete from eventward.captures;
      delete from eventward.runs;
      delete from eventward.definitions;
      delete from eventward.aggregates;
      ${createSubscriptions} ${manySubscriptions(1, 50)}`)
  })

  async function killedAt(step: 'on' | 'off' | 'restart', text: string, nth = 1) {
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

  const status = () => db.database.session((session) => captureStatus(session, Subscription))
  const write = () => db.admin.query('update public.subscriptions set user_id = user_id + 1 where id <= 10')
  const triggers = async () => {
    const { rows } = await db.admin.query<{ n: string }>(
      `select count(*) as n from pg_trigger where tgrelid = 'public.subscriptions'::regclass and not tgisinternal`,
    )
    return rows[0]?.n
  }

  async function expectSound() {
    expect(await status()).toMatchObject({ capture: 'on', problems: [] })
    expect(await triggers()).toBe('4')
    await write()
    expect(await backfill(db.database, Subscription)).toMatchObject({ complete: true, capture: 'on' })
    for (const engine of ['sql', 'replay'] as const) {
      expect((await verify(db.database, Subscription, { engine })).table).toMatchObject({
        clean: true,
        proof: true,
      })
    }
  }

  it.each([
    ['insert into eventward.aggregates', 'before the definition is installed'],
    ['eventward.create_partition', 'before the partition is made'],
    ['create or replace function', 'before the functions are made'],
    ['lock table', 'before the lock'],
    ['insert into eventward.captures', 'under the lock'],
    ['eventward.install_triggers', 'before the triggers are put on'],
    ['eventward.capture_problems', 'before the last look'],
  ])(
    'in capture on, ahead of "%s" (%s): nothing is on, writers go on, and run again it is whole',
    async (text) => {
      await killedAt('on', text)
      expect(await triggers()).toBe('0')
      expect(await status()).toMatchObject({ capture: 'off', phase: 'legacy', problems: [] })
      await write()
      expect(await captureOn(db.database, Subscription)).toMatchObject({ change: 'installed', epoch: '1' })
      await expectSound()
    },
  )

  it.each([
    ['lock table', 'before the lock'],
    ['eventward.remove_triggers', 'under the lock'],
    ['update eventward.captures', 'before it is noted'],
  ])('in capture off, ahead of "%s" (%s): all is on, and run again it is off', async (text) => {
    await captureOn(db.database, Subscription)
    await killedAt('off', text)
    expect(await status()).toMatchObject({ capture: 'on', epoch: '1', problems: [] })
    await write()
    expect(await captureOff(db.database, Subscription)).toMatchObject({ change: 'removed', epoch: '2' })
    expect(await triggers()).toBe('0')
  })

  it.each([
    ['eventward.remove_triggers', 1, 'before capture is off'],
    ['virtualxid', 1, 'before older snapshots are waited for'],
    ['detach partition', 1, 'before the partition is detached'],
    ['delete from eventward.definitions', 1, 'before its meaning is forgotten'],
    ['eventward.install_triggers', 1, 'before capture is on again'],
    ['insert into eventward.runs', 2, 'before the backfill begins'],
  ] as const)(
    'in a restart beside capture, ahead of "%s" (the %i. time, %s): run again, it ends as a clean one does',
    async (text, nth, _when) => {
      await captureOn(db.database, Subscription)
      await backfill(db.database, Subscription)
      await write()
      await killedAt('restart', text, nth)
      await write()
      const again = await backfill(db.database, Subscription, { restart: true, confirm: 'subscriptions' })
      expect(again).toMatchObject({ complete: true, capture: 'on' })
      await expectSound()
      const { rows } = await db.admin.query<{ n: string }>(
        `select count(*) as n from pg_tables where tablename like 'events_subscription_archive%'`,
      )
      expect(Number(rows[0]?.n)).toBeGreaterThanOrEqual(1)
    },
  )

  it('in a restart, after its archive was made: an ordinary backfill turns capture on again', async () => {
    await captureOn(db.database, Subscription)
    await backfill(db.database, Subscription)
    await killedAt('restart', 'eventward.install_triggers')
    expect((await status()).capture).toBe('off')
    expect(await backfill(db.database, Subscription)).toMatchObject({ complete: true, capture: 'on' })
    await expectSound()
    // Turned off on purpose since, it stays off.
    await captureOff(db.database, Subscription)
    expect(await backfill(db.database, Subscription)).toMatchObject({ capture: 'off' })
  })
})
