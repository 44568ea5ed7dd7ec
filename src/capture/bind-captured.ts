import { type BoundAggregate, bindAggregate } from '../bind/index.js'
import { readRowShape } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { GateError } from '../errors/index.js'
import { frozenShapes } from '../store/index.js'

/** A definition, bound to a table that stood still meanwhile. */
export interface CapturedTable {
  readonly bound: BoundAggregate
  /** What the table was: see `readRowShape`. */
  readonly shape: string
  /** As the command line names it. */
  readonly table: string
}

/** DDL that comes between again and again: someone is at work on the table. */
const TRIES = 5

/**
 * Binds a definition for the triggers of its table.
 *
 * @throws UsageError of `bindAggregate`; GateError EW_TABLE_MOVED where DDL comes between each time.
 */
export async function bindCaptured(
  session: Session,
  definition: AggregateDefinition,
): Promise<CapturedTable> {
  const { schema, name, key } = definition.table
  const frozen = await frozenShapes(session, definition.name)
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const shape = await readRowShape(session, schema, name, key)
    const bound = await bindAggregate(session, definition, { frozen })
    if (shape === (await readRowShape(session, schema, name, key)))
      return { bound, shape, table: tableName(definition.table) }
  }
  throw captureMoved(tableName(definition.table))
}

/** What is said where DDL comes between binding and the lock. */
export function captureMoved(table: string): GateError {
  return new GateError(
    'EW_TABLE_MOVED',
    `${table}: its columns or its key were changed while capture was being turned on; nothing was changed`,
    { next: 'Run it again: it binds anew.', details: { table } },
  )
}
