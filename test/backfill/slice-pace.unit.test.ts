import { describe, expect, it } from 'vitest'
import { failureKind } from '../../src/backfill/failure.js'
import { rateLimit } from '../../src/backfill/rate-limit.js'
import { afterFailure, afterSlice, initialPace, limitFor, type Pace } from '../../src/backfill/slice-pace.js'
import { timeLimits } from '../../src/backfill/time-limits.js'

const limits = { chunkRows: 5000, statementMs: 300 }
const taken = (pace: Pace, rows: number, ms: number) =>
  afterSlice(pace, { n: '1', asked: rows, rows, ms }, limits)

describe('the size of a slice', () => {
  it('is halved when a slice takes too long, and grows again slowly, never past the chunk', () => {
    let pace = initialPace(5000)
    pace = afterFailure(pace, { n: '1', asked: 5000 }, 'slow').pace
    expect(limitFor(pace, '1')).toBe(2500)
    pace = taken(pace, 2500, 60)
    expect(limitFor(pace, '1')).toBe(3125)
    for (let i = 0; i < 9; i += 1) pace = taken(pace, limitFor(pace, '1'), 60)
    expect(limitFor(pace, '1')).toBe(5000)
  })

  it('is halved once when two workers fail together', () => {
    let { pace } = afterFailure(initialPace(5000), { n: '1', asked: 5000 }, 'slow')
    pace = afterFailure(pace, { n: '2', asked: 5000 }, 'slow').pace
    expect(limitFor(pace, '3')).toBe(2500)
  })

  it('is hunted down in two chunks at once', () => {
    let { pace } = afterFailure(initialPace(100), { n: '1', asked: 100 }, 'data')
    pace = afterFailure(pace, { n: '2', asked: 40 }, 'data').pace
    expect([limitFor(pace, '1'), limitFor(pace, '2'), limitFor(pace, '3')]).toEqual([50, 20, 100])
  })

  it('shrinks before a slice is cancelled', () => {
    expect(limitFor(taken(initialPace(5000), 5000, 250), '1')).toBe(3750)
  })

  it.each([1, 2, 7, 2500, 4999, 5000])(
    'finds row %s of 5000 as the one that can not be taken, in few tries',
    (culprit) => {
      let pace = initialPace(5000)
      let done = 0
      for (let tries = 1; tries <= 30; tries += 1) {
        const asked = limitFor(pace, '1')
        if (done + asked < culprit) {
          done += asked
          pace = afterSlice(pace, { n: '1', asked, rows: asked, ms: 10 }, limits)
          continue
        }
        const failed = afterFailure(pace, { n: '1', asked }, 'data')
        if (failed.alone) {
          expect(done + 1).toBe(culprit)
          expect(limitFor(failed.pace, '1')).toBe(5000)
          return
        }
        pace = failed.pace
      }
      expect.unreachable('it was not found')
    },
  )

  it('goes back to its usual size where what stood in the way has gone', () => {
    let pace = afterFailure(initialPace(4), { n: '1', asked: 4 }, 'conflict').pace
    expect(limitFor(pace, '1')).toBe(2)
    expect(limitFor(pace, '2')).toBe(4)
    pace = taken(pace, 2, 10)
    pace = taken(pace, 1, 10)
    pace = taken(pace, 1, 10)
    expect(limitFor(pace, '1')).toBe(4)
  })
})

describe('the time of a slice', () => {
  it.each([50, 100, 999, 1000, 5000])(
    'with a deadlock_timeout of %s ms we have given up before an application could be the victim (B2)',
    (deadlockTimeout) => {
      const { lockMs, statementMs, rowMs } = timeLimits(deadlockTimeout)
      expect(lockMs).toBeGreaterThan(0)
      expect(2 * statementMs + lockMs).toBeLessThan(deadlockTimeout)
      expect(rowMs + lockMs).toBeLessThan(deadlockTimeout)
    },
  )

  it('is 100 ms for a lock and 300 ms for a statement on an ordinary server', () => {
    expect(timeLimits(1000)).toMatchObject({ lockMs: 100, statementMs: 300 })
  })

  it('between two statements is what is left, so that a suspended process keeps nobody for longer', () => {
    expect(timeLimits(1000).idleMs).toBe(700)
    expect(timeLimits(50).idleMs).toBe(100)
  })

  it('a server whose deadlock_timeout leaves no time is refused', () => {
    expect(() => timeLimits(49)).toThrow(expect.objectContaining({ code: 'EW_DEADLOCK_TIMEOUT' }))
  })
})

describe('the rate', () => {
  it('spreads rows over time, however many workers spend them', () => {
    let now = 0
    const rate = rateLimit(1000, () => now)
    expect(rate.waitMs()).toBe(0)
    rate.spend(250)
    rate.spend(250)
    expect(rate.waitMs()).toBe(500)
    now = 450
    expect(rate.waitMs()).toBe(50)
    now = 10_000
    rate.spend(100)
    expect(rate.waitMs()).toBe(100)
    expect(rate.burst).toBe(250)
  })
})

describe('a failure', () => {
  const failure = (code: string) => Object.assign(new Error(code), { code })

  it.each([
    ['57014', 'slow'],
    ['55P03', 'conflict'],
    ['40P01', 'conflict'],
    ['54000', 'data'],
    ['22003', 'data'],
    ['XX001', 'data'],
    ['42703', null],
    ['57P01', null],
    ['23514', null],
    ['53100', null],
  ])('%s is %s', (code, kind) => {
    expect(failureKind(failure(code))).toBe(kind)
  })
})
