/** `eventward capture`, and what status, doctor and plan say of it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions } from '../support/subscription.js'

describe('eventward capture', () => {
  const db = testDatabase()
  const cli = cliIn(() => db.url)

  beforeAll(async () => {
    await db.admin.query(`${createSubscriptions} ${insertSubscriptions}
      create table public.rewards (id integer primary key, name text)`)
    await writeFile(
      join(cli.cwd, 'eventward.config.ts'),
      `import { defineAggregate, defineConfig, defineTable, occurredAt } from 'eventward'
       const column = (type, nullable = false) => ({ type, nullable })
       const subscriptions = defineTable()({ schema: 'public', name: 'subscriptions', key: ['id'], columns: {
         id: column('bigint'), user_id: column('bigint'), reward_id: column('bigint'),
         payment_source_key: column('text', true), status: column('public.subscription_status'),
         stripe_key: column('text', true), created_at: column('timestamp with time zone'),
         activated_at: column('timestamp with time zone', true),
         deactivated_at: column('timestamp with time zone', true) } })
       const rewards = defineTable()({ schema: 'public', name: 'rewards', key: ['id'],
         columns: { id: column('integer'), name: column('text', true) } })
       export const Subscription = defineAggregate({ name: 'Subscription', table: subscriptions, events: {
         Created: { creates: true, data: ['user_id', 'reward_id'], set: { created_at: occurredAt } } } })
       export const Reward = defineAggregate({ name: 'Reward', table: rewards,
         events: { Created: { creates: true, data: ['name'] } } })
       export default defineConfig({ aggregates: [Subscription, Reward] })`,
    )
  })

  it('says how each table is, before and after', async () => {
    const before = await cli.json('capture', 'status')
    expect(before).toMatchObject({ status: 0 })
    expect(before.document.tables).toMatchObject([
      { table: 'subscriptions', capture: 'off', phase: 'legacy' },
      { table: 'rewards', capture: 'off', phase: 'legacy' },
    ])
    const status = await cli.json('status')
    expect(status.document.tables).toMatchObject([
      { capture: 'off', problems: [], next: 'eventward capture on subscriptions' },
      { capture: 'off' },
    ])
    const plan = await cli.json('plan', 'subscriptions')
    expect(plan.document.tables).toMatchObject([
      { locks: expect.arrayContaining([expect.stringContaining('SHARE ROW EXCLUSIVE')]) },
    ])
    expect(plan.document.tables[0]?.['next']).toBe('eventward capture on subscriptions')
  })

  it('wants tables, or --all, and not both', async () => {
    for (const args of [
      ['capture', 'on'],
      ['capture', 'off'],
      ['capture', 'on', 'subscriptions', '--all'],
      ['capture', 'sideways'],
    ]) {
      const { status, document } = await cli.json(...args)
      expect([status, document.error?.code]).toEqual([2, 'EW_USAGE'])
    }
    expect((await cli.json('capture', 'on', 'subscribtions')).document.error?.code).toBe('EW_TABLE_UNKNOWN')
  })

  it('turns all on, as a document and for people; again it has nothing to do', async () => {
    const { status, document } = await cli.json('capture', 'on', '--all')
    expect(status).toBe(0)
    expect(document.tables).toMatchObject([
      {
        table: 'subscriptions',
        capture: 'on',
        phase: 'dual_write',
        change: 'installed',
        attempts: 1,
        lockedMs: expect.any(Number),
        waitedMs: expect.any(Number),
        epoch: '1',
      },
      { table: 'rewards', capture: 'on' },
    ])
    const again = await cli.spawn('capture', 'on', '--all')
    expect(again.stderr).toMatch(/^[^\n]*@[^\n]*\n$/)
    expect(again.status).toBe(0)
    expect(again.stdout).toMatch(/subscriptions +on +dual_write +nothing to do/)
    expect(again.stdout).toContain('is a superuser')
    expect(again.stdout).toContain('next: eventward backfill subscriptions rewards')
  })

  it('leads through the move: status names the next step each time', async () => {
    const next = async () => (await cli.json('status', 'subscriptions')).document.tables[0]
    expect(await next()).toMatchObject({
      phase: 'dual_write',
      capture: 'on',
      backfill: null,
      next: 'eventward backfill subscriptions',
    })
    const backfill = await cli.json('backfill', 'subscriptions')
    expect(backfill.document.tables).toMatchObject([{ complete: true, capture: 'on' }])
    expect(await next()).toMatchObject({ next: 'eventward verify subscriptions' })
    const verify = await cli.json('verify', 'subscriptions')
    expect(verify.document.tables).toMatchObject([{ clean: true, proof: true }])
    expect(await next()).toMatchObject({
      provenBy: verify.document.tables[0]?.['run'],
      next: 'eventward cutover subscriptions advance --confirm subscriptions',
    })
  })

  it('broken, it is the first that status and doctor tell, with the remedy; a failure of capture status', async () => {
    await db.admin.query('alter table public.rewards disable trigger user')
    const status = await cli.json('status')
    expect(status.document.tables).toMatchObject([
      { table: 'rewards', capture: 'broken', next: 'eventward capture on rewards' },
      { table: 'subscriptions', capture: 'on', problems: [] },
    ])
    const told = await cli.spawn('status')
    expect(told.stdout).toMatch(/✗ rewards[^\n]*broken/)
    expect(told.stdout).toMatch(
      /problem +rewards: trigger .* does not fire always.*→ eventward capture on rewards/,
    )
    const doctor = await cli.json('doctor')
    expect(doctor.status).toBe(1)
    expect((doctor.document as unknown as { findings: readonly unknown[] }).findings).toContainEqual(
      expect.objectContaining({ check: 'capture', severity: 'stop', table: 'rewards' }),
    )
    expect(await cli.json('capture', 'status')).toMatchObject({ status: 1 })
    const mended = await cli.json('capture', 'on', 'rewards')
    expect(mended.document.tables).toMatchObject([{ change: 'installed', epoch: '2' }])
    expect(await cli.json('capture', 'status')).toMatchObject({ status: 0 })
  })

  it('goes on with the other tables where one is locked, and says by whom', async () => {
    const app = await db.client()
    await app.query(`set application_name = 'shop'; begin; update public.subscriptions set user_id = 1`)
    const { status, document } = await cli.json('capture', 'off', '--all', '--lock-timeout', '20')
    await app.query('rollback')
    expect(status).toBe(3)
    expect(document.tables).toMatchObject([
      { table: 'subscriptions', error: { code: 'EW_LOCK_BUSY', message: expect.stringContaining('(shop') } },
      { table: 'rewards', capture: 'off', change: 'removed' },
    ])
    expect(document.error?.code).toBe('EW_LOCK_BUSY')
    expect((await cli.json('capture', 'off', '--all')).status).toBe(0)
  })
})
