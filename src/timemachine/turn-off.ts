import type { Session } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { sql } from '../sql/index.js'
import { dropFunction } from './drop-function.js'
import { knownFunction, lockTimeMachines, requireTimeMachines, shownFunction } from './known-functions.js'
import type { TimeMachine } from './time-machine-result.js'

/** Drops the function of a table, if there is one. @throws UsageError EW_NOT_MIGRATED; GateError EW_TIME_MACHINE_USED */
export async function timeMachineOff(
  session: Session,
  definition: AggregateDefinition,
): Promise<TimeMachine & { readonly change: 'dropped' | 'none' }> {
  await requireTimeMachines(session)
  return session.transaction({}, async () => {
    await lockTimeMachines(session)
    const known = await knownFunction(session, definition.name)
    if (known !== null) {
      await dropFunction(session, known)
      await session.execute(sql`
        delete from eventward.time_machines t where t.aggregate_type = ${definition.name}::text`)
    }
    return {
      table: tableName(definition.table),
      aggregate: definition.name,
      function: known === null ? null : shownFunction(known.name),
      state: 'off',
      change: known === null ? 'none' : 'dropped',
    }
  })
}
