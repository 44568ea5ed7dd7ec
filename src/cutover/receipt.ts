import type { Session } from '../db/index.js'
import { finishRun, openRun } from '../store/index.js'
import type { CutoverAction } from './cutover-result.js'
import type { Cutover } from './open-cutover.js'

/** What came of a step, as plain data. */
type Outcome = Readonly<Record<string, unknown>>

/** Writes the receipt of a step that was refused, or changed nothing, and gives its id. */
export async function writeReceipt(
  session: Session,
  cutover: Cutover,
  action: CutoverAction,
  outcome: Outcome,
): Promise<string> {
  const receipt = await openReceipt(session, cutover, action)
  await receipt.close(session, outcome)
  return receipt.id
}

/** A receipt that is begun. */
export interface OpenReceipt {
  readonly id: string
  readonly close: (session: Session, outcome: Outcome) => Promise<void>
}

/**
 * Begins the receipt of a step that changes something, in the transaction that does: a process that is killed leaves
 * both or neither. Before the table's lock is asked for, since nobody needs to wait for it.
 */
export async function openReceipt(
  session: Session,
  { definition, set }: Cutover,
  action: CutoverAction,
): Promise<OpenReceipt> {
  const { id } = await openRun(session, {
    command: 'cutover',
    schema: definition.table.schema,
    table: definition.table.name,
    aggregateType: definition.name,
    definitionHash: set.model.hash,
    params: { action },
    upperKey: null,
  })
  return { id, close: (within, outcome) => finishRun(within, id, 'complete', outcome) }
}
