import type { Session } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { hasTimeMachines, type Known, knownFunction, shownFunction } from './known-functions.js'
import type { TimeMachine } from './time-machine-result.js'

/** How the function of a table is. Reads only. */
export async function timeMachineStatus(
  session: Session,
  definition: AggregateDefinition,
): Promise<TimeMachine> {
  const known = (await hasTimeMachines(session)) ? await knownFunction(session, definition.name) : null
  return {
    table: tableName(definition.table),
    aggregate: definition.name,
    function: known === null ? null : shownFunction(known.name),
    state: stateOf(known),
  }
}

function stateOf(known: Known | null): TimeMachine['state'] {
  if (known === null) return 'off'
  if (known.oid === null) return 'missing'
  return known.meaning === known.meaningNow ? 'on' : 'stale'
}
