import { describe, expect, it } from 'vitest'
import { differenceProblems } from '../../src/demo/expected-differences.js'
import { slideProblems } from '../../src/demo/expected-slide.js'
import { PLANTED } from '../../src/demo/plant-corruption.js'

const table = {
  table: 'subscriptions',
  engine: 'sql',
  rows: '3',
  streams: '3',
  events: '5',
  run: '1',
  differences: '2',
  clean: false,
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
  })

  it('where a row of the slide has other events', () => {
    const none = { aggregate: 'Subscription', table: 'subscriptions', id: '13', entries: [] }
    expect(slideProblems(none)).toEqual(['13 has 0 events instead of 4'])
  })
})
