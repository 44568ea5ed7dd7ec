import { describe, expect, it } from 'vitest'
import type { DemoStep } from '../../src/demo/demo-step.js'
import { summaryOf } from '../../src/demo/load-summary.js'

const told = {
  attempted: 9,
  committed: 8,
  rolledBack: 1,
  refused: 0,
  commands: 2,
  errors: 0,
  errorTexts: [],
  writes: 10,
}
const right = { rows: '3', rowsDiffer: 0, lost: 0, doubled: 0, differ: 0, moments: 7, examples: [] }

function seen(plainMs: number, commandMs = 0): DemoStep['writers'] {
  const latencies = (maxMs: number) => ({ transactions: maxMs > 0 ? 1 : 0, p50Ms: maxMs, maxMs })
  return { plain: latencies(plainMs), commands: latencies(commandMs) }
}

function step(name: string, found: unknown, writers: DemoStep['writers']): DemoStep {
  return {
    name,
    command: null,
    says: '',
    seconds: 1,
    found: found as DemoStep['found'],
    writers,
    problems: [],
  }
}

const without = step('load', { kind: 'ledger', told, reconciled: right }, seen(90))
const last = step('ledger', { kind: 'ledger', told, reconciled: { ...right, lost: 1 } }, null)
const captured = step('capture', { kind: 'captured', table: { attempts: 1, lockedMs: 20 } }, seen(12))
const flipped = step('advance', { kind: 'cutover', result: { attempts: 3, lockedMs: 40 } }, seen(15))
const commands = step('commands', { kind: 'commands', calls: 2 }, seen(11, 33))

describe('what the demo tells of its writers', () => {
  it('is what the last ledger says, the longest wait of all but the load without us, and each lock', () => {
    expect(summaryOf([without, captured, flipped, commands, last])).toMatchObject({
      attempted: 9,
      lost: 1,
      moments: 7,
      withoutUs: { maxMs: 90 },
      longestWaitMs: 33,
      longestWaitIn: 'commands',
      locks: [
        { step: 'capture', attempts: 1, lockedMs: 20 },
        { step: 'advance', attempts: 3, lockedMs: 40 },
      ],
    })
  })

  it('is nothing where the demo ended before its last word', () => {
    expect(summaryOf([without, captured])).toBeNull()
    expect(summaryOf([])).toBeNull()
  })
})
