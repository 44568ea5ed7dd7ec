import type { Session } from '../db/index.js'
import { finishRun, openRun } from '../store/index.js'
import type { CutoverAction } from './cutover-result.js'
import type { Cutover } from './open-cutover.js'

/**
 * Writes the receipt of a step that is done, or that was refused, and gives its id. Where the step changes something it
 * stands in the same transaction: a process that is killed leaves both or neither.
 */
export async function writeReceipt(
  session: Session,
  { definition, set }: Cutover,
  action: CutoverAction,
  outcome: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { id } = await openRun(session, {
    command: 'cutover',
    schema: definition.table.schema,
    table: definition.table.name,
    aggregateType: definition.name,
    definitionHash: set.model.hash,
    params: { action },
    upperKey: null,
  })
  await finishRun(session, id, 'complete', outcome)
  return id
}
