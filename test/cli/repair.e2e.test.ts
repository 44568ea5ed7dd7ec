import { beforeAll, describe, expect, it } from 'vitest'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

interface ShownRepair {
  readonly key: string
  readonly outcome: string
  readonly events: readonly { readonly type: string }[]
}

describe('verify --repair on the command line', () => {
  const db = testDatabase()
  const cli = cliIn(() => db.url)

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(manySubscriptions(1, 9))
    expect((await cli.json('init', '--yes')).status).toBe(0)
    expect((await cli.json('backfill')).status).toBe(0)
    await db.admin.query('update subscriptions set user_id = 77 where id = 5')
  })

  const repairsOf = (document: unknown) =>
    (document as { readonly repairs: readonly ShownRepair[] }).repairs.map(({ key, outcome, events }) => [
      key,
      outcome,
      events.map(({ type }) => type),
    ])

  it('shows first what it would append', async () => {
    const dry = await cli.json('verify', 'subscriptions', '--repair', '--dry-run')
    expect(dry.status).toBe(1)
    expect(repairsOf(dry.document)).toEqual([['5', 'would_repair', ['Changed']]])
    const text = await cli.spawn('verify', 'subscriptions', '--open', '--repair', '--dry-run')
    expect(text.stdout).toContain('subscriptions 5: would append, then update the row to itself')
    expect(text.stdout).toContain('+ Changed {"user_id":77}')
    expect(text.stderr).toContain('verify subscriptions --open --repair')
  })

  it('then appends it, and ends clean', async () => {
    const done = await cli.json('verify', 'subscriptions', '--repair')
    expect(done).toMatchObject({ status: 0, document: { ok: true, differences: [] } })
    expect(repairsOf(done.document)).toEqual([['5', 'repaired', ['Changed']]])
    expect(await cli.json('verify', 'subscriptions')).toMatchObject({ status: 0 })
  })

  it('takes no --dry-run alone', async () => {
    const { status, document } = await cli.json('verify', '--dry-run')
    expect({ status, code: document.error?.code }).toEqual({ status: 2, code: 'EW_USAGE' })
  })
})
