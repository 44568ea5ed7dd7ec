import type { BoundColumn, BoundModel, Row } from '../definition/index.js'
import { localOfUtc, utcOfText } from '../encode/index.js'
import { text } from './holds.js'
import type { Instant, RecogniseContext } from './recognised-event.js'

/** The instant that a column of a row means, or null: no column, NULL, or a date that no timestamp reaches. */
export function instantOf(
  model: BoundModel,
  row: Row,
  name: string | null | undefined,
  context: RecogniseContext,
): Instant | null {
  const column = model.columns.find((candidate) => candidate.name === name)
  const value = column === undefined ? null : text(row, column.name)
  if (column === undefined || value === null) return null
  if (context.instantOf !== undefined) return context.instantOf(column, value)
  return utcInstant(column, value)
}

function utcInstant({ temporal }: BoundColumn, value: string): Instant | null {
  const utc = temporal === null ? null : utcOfText(temporal, value)
  return utc === null ? null : { utc, local: localOfUtc(utc) }
}
