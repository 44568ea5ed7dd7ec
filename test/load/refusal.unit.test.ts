import { describe, expect, it } from 'vitest'
import { foreignBlame, refusalOf } from './refusal.js'

const pids = new Set(['101', '102'])
const refusal = { sqlstate: '40001', message: 'could not serialize access', detail: '', where: '', place: '' }
const deadlock = (by: string) => ({
  ...refusal,
  sqlstate: '40P01',
  detail: `Process 101 waits for ShareLock on transaction 9; blocked by process ${by}.\nProcess ${by} waits for it.`,
})

describe('an error of the application', () => {
  it('is ours where it names something of ours', () => {
    expect(foreignBlame(refusal, pids)).toBe(false)
    expect(
      foreignBlame({ ...refusal, where: 'PL/pgSQL function eventward.capture_before_city()' }, pids),
    ).toBe(true)
    expect(foreignBlame({ ...refusal, place: 'public.events_city.events_city_stream' }, pids)).toBe(true)
    expect(foreignBlame({ ...refusal, message: 'canceling statement: relation "events"' }, pids)).toBe(true)
  })

  it('is ours where it is a deadlock with a session that is none of the writers', () => {
    expect(foreignBlame(deadlock('102'), pids)).toBe(false)
    expect(foreignBlame(deadlock('777'), pids)).toBe(true)
  })

  it('is none where the server did not answer', () => {
    const lost = new TypeError('Connection terminated')
    expect(() => refusalOf(lost)).toThrow(lost)
  })
})
