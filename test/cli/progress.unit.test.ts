import { describe, expect, it } from 'vitest'
import { progressBlock, progressJson, progressLine } from '../../cli/render/progress-line.js'
import { type ProgressRecord, paceOf, type Sample } from '../../cli/render/progress-record.js'

const record = (rows: string, more: Partial<ProgressRecord> = {}): ProgressRecord => ({
  table: 'orders',
  rows,
  total: '2134880',
  estimate: true,
  events: '2988104',
  ...more,
})

const samples = (...at: readonly (readonly [number, ProgressRecord])[]): readonly Sample[] =>
  at.map(([ms, one]) => ({ at: ms, record: one }))

const running = samples([0, record('1000000')], [10_000, record('1302276')])

describe('pace', () => {
  it('is the rows of the window over its time', () => {
    expect(paceOf(running).rowsPerSecond).toBeCloseTo(30_227.6)
    expect(paceOf(running).etaSeconds).toBeCloseTo((2_134_880 - 1_302_276) / 30_227.6)
    expect(paceOf(running).share).toBeCloseTo(0.61)
  })

  it('is unknown, not 0, before two moments are known', () => {
    expect(paceOf(samples([0, record('5')]))).toMatchObject({ rowsPerSecond: null, etaSeconds: null })
    expect(paceOf(samples([0, record('5')], [10, record('50')])).rowsPerSecond).toBeNull()
  })

  it('is unknown while nothing moves', () => {
    expect(paceOf(samples([0, record('5')], [9_000, record('5')])).rowsPerSecond).toBeNull()
  })

  it('never passes 100 % where the estimate was too low', () => {
    const pace = paceOf(
      samples([0, record('90', { total: '100' })], [1_000, record('150', { total: '100' })]),
    )
    expect(pace.share).toBe(1)
    expect(pace.etaSeconds).toBe(0)
  })
})

describe('the live block', () => {
  it('shows the estimate as one, the rate and what is left', () => {
    expect(progressBlock(running)).toBe(
      [
        'orders ██████████░░░░░░░░ 61.0%  1,302,276 / ≈2,134,880 rows',
        '  30,228 rows/s · eta ≈28s',
        '  2,988,104 events · ^C is safe: run again to go on',
      ].join('\n'),
    )
  })

  it('shows – for what nobody knows, and no 0', () => {
    const block = progressBlock(samples([0, record('7', { total: null, events: null })]))
    expect(block).toContain('7 / – rows')
    expect(block).toContain('– rows/s · eta –')
    expect(block).not.toMatch(/(^|\s)0(\s|%|$)/)
  })

  it('names what it waits for', () => {
    const waiting = samples([0, record('7', { note: 'the table is locked' })])
    expect(progressBlock(waiting)).toContain(' · the table is locked')
  })
})

describe('the line for logs', () => {
  it('is one line of name=value', () => {
    expect(progressLine('backfill', running, '03:12:30Z')).toBe(
      '03:12:30Z backfill orders rows=1302276/~2134880 events=2988104 rate=30228 eta=28s',
    )
  })

  it('leaves out what nobody knows', () => {
    const line = progressLine('verify', samples([0, record('7', { total: null, events: null })]), '03:12:30Z')
    expect(line).toBe('03:12:30Z verify orders rows=7/?')
  })
})

describe('the line for scripts', () => {
  it('is JSON with counts as strings and null for the unknown', () => {
    expect(JSON.parse(progressJson('backfill', running))).toEqual({
      v: 1,
      type: 'progress',
      command: 'backfill',
      table: 'orders',
      rows: '1302276',
      total: '2134880',
      estimate: true,
      events: '2988104',
      rowsPerSecond: 30_228,
      etaSeconds: 28,
    })
    expect(JSON.parse(progressJson('backfill', samples([0, record('7', { total: null })])))).toMatchObject({
      total: null,
      rowsPerSecond: null,
      etaSeconds: null,
    })
  })
})
