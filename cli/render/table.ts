import CliTable from 'cli-table3'

/** Without borders: lines that can be cut and pasted. */
const BORDERLESS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

export interface Column {
  readonly head: string
  /** @default 'left' */
  readonly align?: 'left' | 'right'
}

/** Lines up cells under their heads; wide characters count as they are shown. Colours come in with the cells. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const view = new CliTable({
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: BORDERLESS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  view.push(...rows.map((row) => [...row]))
  return view
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
