import type { CaptureProblem, CaptureStatus } from '../capture/index.js'
import type { EventsTable } from '../config/index.js'
import type { Session } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { shellWord, UsageError } from '../errors/index.js'
import { refuseChangedDefinition } from '../store/index.js'
import { bindStored } from './bind-stored.js'

/** What a configuration's definition is, held against the table and the stored events. */
export interface DefinitionLook {
  /** Null where it does not fit the table. */
  readonly hash: string | null
  /** Why it can not be installed, or null. */
  readonly refusal: string | null
}

/**
 * Asks whether a definition fits its table and leaves stored events their meaning. Reads only; wants a transaction of its
 * own, which a constant that the server can't read ends.
 */
export async function lookAtDefinition(
  session: Session,
  definition: AggregateDefinition,
  events: EventsTable,
): Promise<DefinitionLook> {
  let hash: string | null = null
  try {
    const { model } = await session.transaction({ readOnly: true }, () => bindStored(session, definition))
    hash = model.hash
    await session.transaction({ readOnly: true }, () => refuseChangedDefinition(session, model, events))
    return { hash, refusal: null }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { hash, refusal: error.message }
  }
}

/** What keeps a definition from being what its table's triggers were made from. Pure. */
export function definitionProblems(
  { table }: AggregateDefinition,
  { hash, refusal }: DefinitionLook,
  capture: CaptureStatus | null,
): readonly Pick<CaptureProblem, 'what' | 'next'>[] {
  const shown = shellWord(tableName(table))
  const known = capture?.problems.map(({ code }) => code) ?? []
  // Where columns have moved, adopt says what becomes of the definition.
  if (known.includes('columns')) return []
  if (refusal !== null) return [{ what: refusal, next: `eventward lint ${shown}` }]
  const stale = capture !== null && capture.capture !== 'off' && capture.definitionHash !== hash
  // The same by another road: the one installed is told apart from the triggers' already.
  if (!stale || known.includes('definition')) return []
  return [
    {
      what: 'its triggers were made from another definition than that of the configuration',
      next: `eventward capture on ${shown}`,
    },
  ]
}
