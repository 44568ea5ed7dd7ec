import { describe, expect, it } from 'vitest'
import { compareStream, type LoggedEvent } from '../../src/demo/compare-stream.js'
import type { Write } from '../../src/demo/ledger.js'
import type { Folder } from '../../src/fold/index.js'

/** An event's data is the row. */
const apply: Folder = (_, { type, data }) => (type === 'Deleted' ? null : JSON.parse(data))

function event(version: number, xid: string, a: string | null, source = 'trigger'): LoggedEvent {
  return {
    aggregateId: '1',
    version,
    type: a === null ? 'Deleted' : 'Changed',
    schemaVersion: 1,
    data: JSON.stringify({ id: '1', a }),
    occurredAt: '2024-01-01 00:00:00+00',
    localTime: null,
    xid,
    source,
    existing: false,
  }
}

function write(ticket: bigint, xid: string, a: string | null): Write {
  return { table: 't', key: '1', ticket, xid, row: a === null ? null : { id: '1', a } }
}

const captured = { from: 10n, to: 20n }
const before = { id: '1', a: 'x' }
const backfilled = event(1, '500', 'x', 'backfill')
const compare = (history: readonly Write[], events: readonly LoggedEvent[]) =>
  compareStream(apply, { key: '1', history, before }, events, captured)

describe('a stream and the ledger of its key', () => {
  it('are the same where each transaction left the events of what it did', () => {
    const history = [write(21n, '600', 'y'), write(22n, '600', 'z'), write(23n, '601', null)]
    const events = [backfilled, event(2, '600', 'y'), event(3, '600', 'z'), event(4, '601', null)]
    expect(compare(history, events)).toMatchObject({ lost: 0, doubled: 0, differ: 0, moments: 2 })
  })

  it('differ by a write without an event: lost', () => {
    const history = [write(21n, '600', 'y'), write(22n, '601', 'z')]
    expect(compare(history, [backfilled, event(2, '601', 'z')])).toMatchObject({
      lost: 1,
      doubled: 0,
      differ: 0,
    })
  })

  it('differ by an event without a write, of a write before capture, or twice for one: doubled', () => {
    expect(compare([], [backfilled, event(2, '600', 'y')])).toMatchObject({ doubled: 1 })
    expect(compare([write(5n, '600', 'y')], [event(1, '600', 'y')])).toMatchObject({ doubled: 1 })
    const twice = [backfilled, event(2, '600', 'y'), event(3, '600', 'y')]
    expect(compare([write(21n, '600', 'y')], twice)).toMatchObject({ doubled: 1 })
  })

  it('differ where the events fold to another row than the writer saw, though the last one is right', () => {
    const history = [write(21n, '600', 'y'), write(22n, '601', 'z')]
    const events = [backfilled, event(2, '600', 'forged'), event(3, '601', 'z')]
    expect(compare(history, events)).toMatchObject({ lost: 0, doubled: 0, differ: 1, moments: 2 })
  })

  it('need no events for what was written before capture, or changed nothing', () => {
    const history = [write(5n, '400', 'x'), write(15n, '550', 'x'), write(30n, '600', 'x')]
    expect(compare(history, [backfilled])).toMatchObject({ lost: 0, doubled: 0, differ: 0 })
  })
})
