import { describe, expect, it } from 'vitest'
import { differenceProblems } from '../../src/demo/expected-differences.js'
import { slideProblems } from '../../src/demo/expected-slide.js'
import { PLANTED } from '../../src/demo/plant-corruption.js'
import { ledgerProblems } from '../../src/demo/steps/ledger-step.js'

const table = {
  table: 'subscriptions',
  engine: 'sql',
  rows: '3',
  streams: '3',
  events: '5',
  run: '1',
  differences: '2',
  clean: false,
  proof: false,
} as const

const differences = [PLANTED.event, PLANTED.row].map(({ key, column }) => ({
  table: 'subscriptions',
  key,
  kind: 'row_differs' as const,
  columns: [{ column, row: 'a', events: 'b', setBy: null }],
}))

describe('the demo fails', () => {
  it('where a planted corruption is not found', () => {
    expect(differenceProblems({ table, differences, planted: true, rows: '3' })).toEqual([])
    const missed = { table: { ...table, differences: '1' }, differences: differences.slice(1), planted: true }
    expect(differenceProblems({ ...missed, rows: '3' })).toHaveLength(1)
  })

  it('where another column is named', () => {
    const wrong = differences.map((one) => ({ ...one, columns: [{ ...one.columns[0]!, column: 'status' }] }))
    expect(differenceProblems({ table, differences: wrong, planted: true, rows: '3' })).toHaveLength(1)
  })

  it('where something differs before anything was planted, or rows were left out', () => {
    expect(differenceProblems({ table, differences, planted: false, rows: '3' })).toHaveLength(2)
    const clean = { ...table, differences: '0', clean: true }
    expect(differenceProblems({ table: clean, differences: [], planted: false, rows: '3' })).toEqual([])
    expect(differenceProblems({ table: clean, differences: [], planted: false, rows: '4' })).toHaveLength(1)
    expect(differenceProblems({ table: clean, differences: [], planted: false, rows: null })).toEqual([])
    const none = { ...clean, rows: '0' }
    expect(differenceProblems({ table: none, differences: [], planted: false, rows: null })).toHaveLength(1)
  })

  it('where a ledger does not reconcile, an application saw an error, or nobody wrote', () => {
    const told = {
      attempted: 1,
      committed: 1,
      rolledBack: 0,
      refused: 0,
      commands: 0,
      errors: 0,
      errorTexts: [],
    }
    const writes = [{ table: 't', key: '1', ticket: 1n, xid: '1', row: null }]
    const right = { rows: '3', rowsDiffer: 0, lost: 0, doubled: 0, differ: 0, moments: 1, examples: [] }
    expect(ledgerProblems({ ...told, writes }, right)).toEqual([])
    expect(ledgerProblems({ ...told, writes: [] }, right)).toHaveLength(1)
    expect(ledgerProblems({ ...told, writes, errors: 1, errorTexts: ['40P01'] }, right)).toHaveLength(2)
    for (const wrong of ['rowsDiffer', 'lost', 'doubled', 'differ']) {
      expect(ledgerProblems({ ...told, writes }, { ...right, [wrong]: 2 })).toHaveLength(1)
    }
  })

  it('where a row of the slide has other events', () => {
    const none = { aggregate: 'Subscription', table: 'subscriptions', id: '13', lastVersion: 0, entries: [] }
    expect(slideProblems(none)).toEqual(['13 has 0 events instead of 4'])
  })
})
