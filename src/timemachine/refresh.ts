import type { Session } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { EventwardError } from '../errors/index.js'
import { timeMachineStatus } from './time-machine-status.js'
import { timeMachineOn } from './turn-on.js'

/**
 * Makes the function of a table anew where it has one and columns or events have moved since: to be called by whoever
 * registers a definition or adopts columns, outside of a transaction, when that is committed.
 *
 * @returns why it could not be made: it then refuses whoever calls it; null where all is well. What its caller was about
 * is done, so nothing is thrown.
 */
export async function refreshTimeMachine(
  session: Session,
  definition: AggregateDefinition,
): Promise<EventwardError | null> {
  try {
    const { state } = await timeMachineStatus(session, definition)
    if (state === 'stale') await timeMachineOn(session, definition)
    return null
  } catch (error) {
    if (error instanceof EventwardError) return error
    throw error
  }
}
