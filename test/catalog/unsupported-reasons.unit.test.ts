import { describe, expect, it } from 'vitest'
import { type CatalogTable, unsupportedReasons } from '../../src/catalog/index.js'
import { catalogTable, column } from './catalog-fixture.js'

const base = catalogTable('t', [column('id', 'int4', { nullable: false })])
const codes = (more: Partial<CatalogTable>) =>
  unsupportedReasons({ ...base, ...more }).map(({ code }) => code)

describe('unsupportedReasons', () => {
  it('has nothing against a plain or a partitioned table with a key', () => {
    expect(codes({})).toEqual([])
    expect(codes({ kind: 'partitioned', hasInheritanceChildren: false })).toEqual([])
  })

  it('names a partitioned table without a key', () => {
    expect(codes({ kind: 'partitioned', key: null, keys: [] })).toEqual(['EW_KEY_MISSING'])
  })

  it.each([
    [{ kind: 'inherits' }, 'EW_TABLE_INHERITS'],
    [{ hasInheritanceChildren: true }, 'EW_TABLE_INHERITS'],
    [{ kind: 'partition' }, 'EW_TABLE_PARTITION'],
    [{ kind: 'view' }, 'EW_TABLE_VIEW'],
    [{ kind: 'foreign' }, 'EW_TABLE_FOREIGN'],
    [{ persistence: 'unlogged' }, 'EW_TABLE_UNLOGGED'],
    [{ persistence: 'temporary' }, 'EW_TABLE_TEMPORARY'],
  ] as const)('refuses %j', (more, code) => {
    expect(codes(more)).toEqual([code])
  })

  it('refuses a deferrable key, and every reason says what to do', () => {
    const columns = base.key?.columns ?? []
    const key = { index: 't_pkey', primary: true, deferrable: true, walkable: true, columns }
    const [reason] = unsupportedReasons({ ...base, key })
    expect(reason).toMatchObject({ code: 'EW_KEY_DEFERRABLE' })
    expect(reason?.next).toMatch(/NOT DEFERRABLE/)
  })

  it('refuses a key that can not be walked upwards, and a partition that a crash empties', () => {
    const columns = base.key?.columns ?? []
    const key = { index: 't_down', primary: false, deferrable: false, walkable: false, columns }
    expect(codes({ key })).toEqual(['EW_KEY_ORDER'])
    expect(codes({ kind: 'partitioned', unloggedLeaf: 'public.t_1' })).toEqual(['EW_TABLE_UNLOGGED'])
  })
})
