import type { Difference, VerifiedTable } from '../verify/index.js'
import { PLANTED } from './plant-corruption.js'

/**
 * What in the result of a verify is not as it must be: before anything was planted, or after. `rows` is null while
 * others write: nobody knows how many there are. Pure.
 */
export function differenceProblems({
  table,
  differences,
  planted,
  rows,
}: {
  readonly table: VerifiedTable
  readonly differences: readonly Difference[]
  readonly planted: boolean
  readonly rows: string | null
}): readonly string[] {
  const expected = planted ? [PLANTED.row, PLANTED.event].map(({ key, column }) => `${key}.${column}`) : []
  const found = differences.flatMap(({ key, columns }) => columns.map(({ column }) => `${key}.${column}`))
  const wanted = [...expected].sort()
  const counted = table.differences === String(expected.length)
  return [
    ...(table.rows === '0' ? ['no rows were compared'] : []),
    ...(rows === null || table.rows === rows ? [] : [`${table.rows} rows were compared instead of ${rows}`]),
    ...(counted && JSON.stringify([...found].sort()) === JSON.stringify(wanted)
      ? []
      : [
          `${table.differences} differences (${named(found)}) instead of ${expected.length} (${named(wanted)})`,
        ]),
    ...(table.clean === !planted ? [] : [`it says ${table.clean ? 'clean' : 'not clean'}`]),
  ]
}

function named(all: readonly string[]): string {
  return all.length > 5 ? `${all.slice(0, 5).join(', ')}, ...` : all.join(', ')
}
