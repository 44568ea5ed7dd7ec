import { createHash } from 'node:crypto'
import type { BoundModel } from '../definition/index.js'

/**
 * Names the row shape (number, name and type of each column) under which a model's events are written: 12 hex digits.
 * It stands in each event's metadata, so that the order of DDL and writes doesn't matter when a schema change is adopted.
 */
export function shapeId({ columns }: Pick<BoundModel, 'columns'>): string {
  return createHash('sha256').update(shapeColumns({ columns })).digest('hex').slice(0, 12)
}

/** What `shapeId` names, as JSON text: `[[attnum, name, type], ...]`. */
export function shapeColumns({ columns }: Pick<BoundModel, 'columns'>): string {
  return JSON.stringify(columns.map(({ attnum, name, declaredType }) => [attnum, name, declaredType]))
}
