import { describe, expect, it } from 'vitest'
import { WorkTally } from '../../cli/render/work-text.js'
import { GateError } from '../../src/errors/index.js'
import type { ProjectionRound } from '../../src/project/index.js'

const round = (
  projection: string,
  state: ProjectionRound['state'],
  error: ProjectionRound['error'] = null,
) => ({
  projection,
  events: 0,
  state,
  error,
})
const failed = { kind: 'failed', reactor: 'mail', position: '1', error: 'no way', left: 2 } as const

describe('what work says where something failed', () => {
  it('is nothing where nothing failed', () => {
    const tally = new WorkTally()
    tally.rounds([round('totals', 'written')])
    expect(tally.failure()).toBeNull()
  })

  it('leads to the jobs where calls of reactors failed', () => {
    const tally = new WorkTally()
    tally.happened(failed)
    expect(tally.failure()).toEqual({
      message: '1 call of a reactor failed',
      next: 'Run `eventward work failed --all`: it says why.',
    })
    tally.happened(failed)
    expect(tally.failure()?.message).toBe('2 calls of reactors failed')
  })

  it('leads to replay where a projection is behind, and never to jobs', () => {
    const tally = new WorkTally()
    tally.rounds([round('totals', 'behind')])
    expect(tally.failure()).toEqual({
      message: 'totals needs a replay',
      next: 'Run `eventward replay totals`.',
    })
    tally.rounds([round('by day', 'behind')])
    expect(tally.failure()).toEqual({
      message: 'totals and by day need a replay',
      next: "Run `eventward replay totals`, `eventward replay 'by day'`.",
    })
  })

  it('says the error of a projection that fails, and what is to be done about it', () => {
    const tally = new WorkTally()
    tally.rounds([
      round('totals', 'failed', new GateError('EW_X', 'it can not be written', { next: 'Mend it.' })),
    ])
    expect(tally.failure()).toEqual({
      message: 'projection totals: it can not be written',
      next: 'Mend it.',
    })
  })

  it('says all of it where several things failed, each with its remedy', () => {
    const tally = new WorkTally()
    tally.happened(failed)
    tally.happened({ kind: 'unread', reactor: 'mail', error: new Error('gone') })
    tally.rounds([
      round('totals', 'behind'),
      round('sums', 'failed', new GateError('EW_X', 'no', { next: 'Mend it.' })),
    ])
    expect(tally.failure()).toEqual({
      message:
        '1 call of a reactor failed; the log could not be read for mail: gone; totals needs a replay; projection sums: no',
      next: 'Run `eventward work failed --all`: it says why. Run `eventward replay totals`. Mend it.',
    })
  })
})
