import { describe, expect, it } from 'vitest'
import { historyByKey, Ledger, reconcile, type Texts, type Write } from '../../src/demo/ledger.js'

const before: ReadonlyMap<string, Texts> = new Map([
  ['1', { id: '1', a: 'x' }],
  ['2', { id: '2', a: 'y' }],
])

function write(key: string, ticket: bigint, a: string | null): Write {
  return { table: 't', key, ticket, xid: String(ticket), row: a === null ? null : { id: key, a } }
}

describe('a ledger', () => {
  it('reconciles whatever the order in which writers told of their commits', () => {
    const writes = [
      write('1', 9n, 'last'),
      write('1', 4n, 'first'),
      write('3', 5n, 'new'),
      write('2', 6n, null),
    ]
    const now = new Map([
      ['1', { id: '1', a: 'last' }],
      ['3', { id: '3', a: 'new' }],
    ])
    expect(reconcile(before, writes, now)).toEqual([])
    expect(
      historyByKey(writes)
        .get('1')
        ?.map(({ ticket }) => ticket),
    ).toEqual([4n, 9n])
  })

  it('tells a write that is not there, a row that is too many, and one that was changed past it', () => {
    const writes = [write('1', 1n, 'z'), write('2', 2n, null)]
    const now = new Map<string, Texts>([
      ['1', { id: '1', a: 'x' }],
      ['2', { id: '2', a: 'y' }],
      ['4', { id: '4', a: null }],
    ])
    expect(reconcile(before, writes, now)).toEqual([
      { key: '1', ledger: { id: '1', a: 'z' }, row: { id: '1', a: 'x' } },
      { key: '2', ledger: null, row: { id: '2', a: 'y' } },
      { key: '4', ledger: null, row: { id: '4', a: null } },
    ])
  })

  it('holds what was committed, and counts the rest', () => {
    const ledger = new Ledger()
    ledger.settle([write('1', 1n, 'z')], { kind: 'committed' })
    ledger.settle([write('1', 2n, 'w')], { kind: 'rolled back' })
    ledger.settle([], { kind: 'refused', sqlstate: '23505' })
    expect(ledger.writes.map(({ ticket }) => ticket)).toEqual([1n])
    expect(ledger).toMatchObject({ attempted: 3, committed: 1, rolledBack: 1 })
    expect([...ledger.refused]).toEqual([['23505', 1]])
  })
})
