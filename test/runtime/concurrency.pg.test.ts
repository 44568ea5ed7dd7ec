import { beforeAll, describe, expect, it } from 'vitest'
import { defineCommand } from '../../src/runtime/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'
import { appKnex } from './app-knex.js'

const CONNECTIONS = 8
const EACH = 40

describe('eight connections on one aggregate', () => {
  const db = testDatabase()
  const app = appKnex(db, { max: CONNECTIONS })

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
    await db.admin.query(insertSubscriptions)
  })

  /** Counts in a column, as text: what one command wrote, the next one must have seen. */
  const Count = defineCommand({
    name: 'Count',
    aggregate: Subscription,
    build: (state) => ({
      type: 'Activated',
      data: { stripe_key: String(BigInt(state.stripe_key ?? '0') + 1n) },
    }),
  })

  it('lose no update, and leave no gap between versions', async () => {
    await db.admin.query(`update public.subscriptions set stripe_key = '0' where id = 12`)
    const versions: number[] = []
    const seen = new Set<string | null>()
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        for (let n = 0; n < EACH; n += 1) {
          const event = await Count.call(app(), { id: 12 })
          versions.push(event?.version ?? 0)
          seen.add(event?.data.stripe_key ?? null)
        }
      }),
    )
    const total = CONNECTIONS * EACH
    expect(seen.size).toBe(total)
    const sorted = versions.sort((a, b) => a - b)
    expect(sorted).toEqual(Array.from({ length: total }, (_, n) => (sorted[0] ?? 0) + n))
    const { rows } = await db.admin.query('select stripe_key from public.subscriptions where id = 12')
    expect(rows).toEqual([{ stripe_key: String(total) }])
    for (const engine of ['sql', 'replay'] as const) {
      expect((await verify(db.database, Subscription, { engine })).differences).toEqual([])
    }
  })
})
