import type { Shown } from '../../src/inspect/index.js'
import { table } from './table.js'

/** A row at a point of its history. Pure. */
export function showText({ aggregate, id, at, version, lastVersion, row, outOfOrder }: Shown): string {
  const when = at !== null && 'time' in at ? ` at ${at.time}` : ''
  const head = `${aggregate} ${id}${when}: version ${version} of ${lastVersion}`
  const note =
    outOfOrder.length === 0
      ? []
      : [
          `! ${outOfOrder.map((later) => `v${later}`).join(', ')} also happened by then, but behind a version that happened later: bound times put history out of the order of versions`,
        ]
  if (row === null) return [head, 'no row', ...note].join('\n')
  const cells = Object.entries(row).map(([column, text]) => [column, text ?? 'NULL'])
  return [head, table([{ head: 'COLUMN' }, { head: 'VALUE' }], cells), ...note].join('\n')
}
