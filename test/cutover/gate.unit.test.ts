import { describe, expect, it } from 'vitest'
import { checkGate, opens } from '../../src/cutover/gate.js'
import type { GateFacts } from '../../src/cutover/read-facts.js'

const OPEN: GateFacts = {
  table: 'app.orders',
  hash: 'abc',
  installedHash: 'abc',
  captured: {
    on: true,
    relid: '1',
    phase: 'dual_write',
    phaseSince: '2026-01-01 00:00:00+00',
    since: '2026-01-01 00:00:00+00',
    epoch: '3',
    definitionHash: 'abc',
    directWrites: 'capture',
    proof: { run: '7', fingerprint: 'f', definitionHash: 'abc', ageSeconds: 60, mark: null },
  },
  problems: [],
  shimAlone: false,
  backfill: { run: '6', complete: true, epoch: '3', definitionHash: 'abc', chunks: '412' },
  verify: { run: '7', clean: true, differences: '0', afterBackfill: true },
  freshnessSeconds: 3_600,
  fingerprint: 'f',
  openDifferences: '0',
  incomplete: { count: '0', reason: null },
  older: [],
  hidden: [],
  rehearsal: { run: '8', ok: true, lockedMs: 41.4, at: '2026-01-01 00:00:00+00' },
}

/** The one check that these facts close. */
function closedBy(facts: Partial<GateFacts>) {
  const closed = checkGate({ ...OPEN, ...facts }).filter(({ ok }) => !ok)
  expect(closed).toHaveLength(1)
  return closed[0]!
}

describe('the gate', () => {
  it('is open where everything holds, and needs no next step then', () => {
    const gate = checkGate(OPEN)
    expect(gate.every(({ ok, next }) => ok && next === null)).toBe(true)
    expect(gate.map(({ detail }) => detail)).toContain('way back rehearsed 41 ms')
  })

  it('is open for advance without the rehearsal, and for nothing else', () => {
    expect(opens(checkGate({ ...OPEN, rehearsal: null }))).toBe(true)
    expect(opens(checkGate({ ...OPEN, openDifferences: '1' }))).toBe(false)
  })

  it('is closed for a table that a shim captures alone, since nobody knows who else writes', () => {
    const [first] = checkGate({ ...OPEN, captured: null, shimAlone: true })
    expect(first).toMatchObject({ name: 'capture', ok: false, next: 'eventward capture on app.orders' })
    expect(first?.detail).toContain('shim alone')
  })

  it('is closed by a prepared transaction that is older than capture, with the line that ends it', () => {
    const gid = "o'brien"
    expect(closedBy({ older: [{ who: 'prepared transaction "o\'brien"', pid: null, gid }] })).toMatchObject({
      name: 'transactions',
      next: expect.stringContaining("rollback prepared 'o''brien';"),
    })
  })

  it('is closed by transactions whose age is hidden and that go on', () => {
    expect(closedBy({ hidden: ['pid 5'] })).toMatchObject({
      name: 'transactions',
      next: expect.stringContaining('grant pg_read_all_stats'),
    })
  })

  it('is closed by a rehearsal that failed', () => {
    expect(closedBy({ rehearsal: { run: '8', ok: false, lockedMs: 0, at: '' } })).toMatchObject({
      name: 'way_back',
      next: 'eventward cutover app.orders rehearse',
    })
  })

  it('tells a stale proof by its age and the limit', () => {
    const proof = { ...OPEN.captured!.proof!, ageSeconds: 26 * 3_600 }
    expect(closedBy({ captured: { ...OPEN.captured!, proof } }).detail).toBe(
      'last clean 26 h ago, limit 60 min',
    )
  })

  it('quotes a table whose name is more than a word in each command', () => {
    const gate = checkGate({ ...OPEN, table: "o'dd table", backfill: null, verify: null, rehearsal: null })
    for (const { next } of gate.filter(({ ok }) => !ok)) expect(next).toContain(`'o'\\''dd table'`)
  })
})
