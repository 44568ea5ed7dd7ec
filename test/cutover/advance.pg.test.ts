import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { advance, complete, cutoverStatus, rehearse, rollback } from '../../src/cutover/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { Subscription } from '../support/subscription.js'
import { forget, phaseOf, provenSubscriptions } from './proven-table.js'

describe('a proven table', () => {
  const db = testDatabase()
  beforeEach(() => provenSubscriptions(db))
  afterEach(() => forget(db))

  const fingerprints = async () => {
    const { rows } = await db.admin.query<{ stands: string }>(
      `select verified_fingerprint = eventward.fingerprint(relid) as stands from eventward.captures`,
    )
    return rows[0]?.stands
  }

  it('goes to event_first and back as often as one likes, and no proof is lost by it', async () => {
    for (const _ of [1, 2, 3]) {
      const there = await advance(db.database, Subscription)
      expect(there, JSON.stringify(there.gate)).toMatchObject({
        ok: true,
        from: 'dual_write',
        to: 'event_first',
        attempts: expect.any(Number),
        differences: [],
      })
      expect(there.lockedMs).toBeGreaterThan(0)
      expect(there.lockedMs).toBeLessThanOrEqual(there.longestWaitMs)
      expect(await phaseOf(db)).toBe('event_first')
      expect(await fingerprints()).toBe('t')
      await db.admin.query(`update public.subscriptions set reward_id = reward_id + 1 where id < 4`)

      const back = await rollback(db.database, Subscription)
      expect(back).toMatchObject({
        ok: true,
        from: 'event_first',
        to: 'dual_write',
        reverified: { streams: 3, events: 3 },
      })
      expect(await phaseOf(db)).toBe('dual_write')
      expect(await fingerprints()).toBe('t')
    }
    for (const engine of ['sql', 'replay'] as const)
      expect((await verify(db.database, Subscription, { engine })).table.clean).toBe(true)
  })

  it('twice is once: advance, rollback and complete find nothing left to do', async () => {
    await advance(db.database, Subscription)
    const again = await advance(db.database, Subscription)
    expect(again).toMatchObject({ ok: true, from: 'event_first', to: 'event_first', attempts: 0, run: null })
    await rollback(db.database, Subscription)
    expect(await rollback(db.database, Subscription)).toMatchObject({
      ok: true,
      from: 'dual_write',
      to: 'dual_write',
      attempts: 0,
      run: null,
    })
    await advance(db.database, Subscription)
    expect(await complete(db.database, Subscription)).toMatchObject({ ok: true, to: 'complete' })
    expect(await complete(db.database, Subscription)).toMatchObject({
      ok: true,
      from: 'complete',
      attempts: 0,
    })
    expect(await phaseOf(db)).toBe('complete')
  })

  it('that is complete has no way back, nor anything to rehearse; that is dual_write can not be completed', async () => {
    const wrong = { code: 'EW_PHASE', exitStatus: 2 }
    await expect(complete(db.database, Subscription)).rejects.toMatchObject(wrong)
    await advance(db.database, Subscription)
    await complete(db.database, Subscription)
    await expect(rollback(db.database, Subscription)).rejects.toMatchObject(wrong)
    await expect(rehearse(db.database, Subscription)).rejects.toMatchObject(wrong)
    await expect(db.admin.query(`select eventward.flip('Subscription', 'dual_write')`)).rejects.toMatchObject(
      {
        code: 'EW005',
      },
    )
    expect(await phaseOf(db)).toBe('complete')
  })

  it('is rehearsed without a trace but the receipt', async () => {
    const trace = async () => {
      const { rows } = await db.admin.query(
        `select c.*, eventward.fingerprint(c.relid) as fingerprint from eventward.captures c`,
      )
      return rows
    }
    const before = await trace()
    const rehearsed = await rehearse(db.database, Subscription)
    expect(rehearsed).toMatchObject({ ok: true, from: 'dual_write', to: 'dual_write' })
    expect(await trace()).toEqual(before)
    const status = await cutoverStatus(db.database, Subscription)
    expect(status.gate.find(({ name }) => name === 'way_back')?.detail).toMatch(/^way back rehearsed \d+ ms$/)
    expect(status.gate.every(({ ok }) => ok)).toBe(true)
  })

  it('leaves a receipt of each step, with what the gate said', async () => {
    await advance(db.database, Subscription)
    await rollback(db.database, Subscription)
    const { rows } = await db.admin.query<{ action: string; state: string; result: string; gate: string }>(
      `select params ->> 'action' as action, state, outcome ->> 'result' as result,
         jsonb_array_length(coalesce(outcome -> 'gate', '[]')) as gate
       from eventward.runs where command = 'cutover' order by id`,
    )
    expect(rows).toEqual([
      { action: 'rehearse', state: 'complete', result: 'rehearsed', gate: '0' },
      { action: 'advance', state: 'complete', result: 'done', gate: '10' },
      { action: 'rollback', state: 'complete', result: 'done', gate: '0' },
    ])
  })
})
