import { members } from '../encode/index.js'
import type { ExportedAggregate, ExportedColumn } from './export-header.js'
import { masked } from './masking.js'

/** Numbers of columns: there -> here. */
export type ColumnNumbers = (attnum: number) => number

/** Beyond what a table can have (1,600): the number of a column that there is no more, nor will be. */
const GONE = 10_000

/**
 * Column numbers differ between databases: a table that was altered has gaps where one made anew has none. Live columns
 * are matched by name; one that was dropped gets a number that no column bears.
 */
export function columnNumbers(
  there: readonly ExportedColumn[],
  here: readonly Pick<ExportedColumn, 'attnum' | 'name'>[],
): ColumnNumbers {
  const byName = new Map(here.map(({ name, attnum }) => [name, attnum]))
  const numbers = new Map(there.map(({ attnum, name }) => [attnum, byName.get(name) ?? GONE + attnum]))
  return (attnum) => numbers.get(attnum) ?? GONE + attnum
}

/** An aggregate as it's registered here: row shapes and epochs by the numbers of this database's columns. */
export function renumbered(aggregate: ExportedAggregate, number: ColumnNumbers): ExportedAggregate {
  const column = (one: ExportedColumn): ExportedColumn => ({ ...one, attnum: number(one.attnum) })
  return {
    ...aggregate,
    columns: aggregate.columns.map(column),
    rowShapes: aggregate.rowShapes.map((shape) => ({ ...shape, columns: shape.columns.map(column) })),
    epochs: aggregate.epochs.map((epoch) => ({ ...epoch, attnum: number(epoch.attnum) })),
  }
}

/** The line of an event that was captured while columns had moved: its metadata name them by number. */
export function renumberedLine(line: string, number: ColumnNumbers): string {
  if (!line.includes('"cold"')) return line
  return masked(line, (name, metadata) => {
    if (name !== 'metadata' || members(metadata).get('cold') !== 'true') return metadata
    return masked(metadata, (member, raw) =>
      member === 'columns' && raw.startsWith('{') ? renamed(raw, number) : raw,
    )
  })
}

function renamed(json: string, number: ColumnNumbers): string {
  const parts = [...members(json)].map(([attnum, name]) => `"${number(Number(attnum))}": ${name}`)
  return `{${parts.join(', ')}}`
}
