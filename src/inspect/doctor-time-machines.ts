import type { Session } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { shellWord } from '../errors/index.js'
import { timeMachineStatus } from '../timemachine/index.js'
import { readable } from './application-rights.js'
import { type Finding, fine, found } from './finding.js'

/** Looks at the functions that give a table as of a time: is each there, and of the columns and events as they are? */
export async function checkTimeMachines(
  session: Session,
  aggregates: readonly AggregateDefinition[],
): Promise<readonly Finding[]> {
  if (!(await readable(session, 'eventward.time_machines'))) return []
  const findings: Finding[] = []
  for (const definition of aggregates) {
    const { state, function: name } = await timeMachineStatus(session, definition)
    const table = tableName(definition.table)
    if (state === 'off') continue
    findings.push(
      state === 'on'
        ? fine('time_machine', `${name} is of the present columns and events`, table)
        : found(
            'warn',
            'time_machine',
            state === 'missing'
              ? `${name} was dropped`
              : `${name} is of older columns or events: it refuses whoever asks it`,
            `Run \`eventward time-machine on ${shellWord(table)}\`.`,
            table,
          ),
    )
  }
  return findings
}
