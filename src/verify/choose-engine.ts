import { type BoundModel, tableName } from '../definition/index.js'
import { shellWord, UsageError } from '../errors/index.js'
import { eventsWithCode } from '../fold/index.js'
import type { VerifyEngine } from './verify-result.js'

/** Which engine proves a table, and why not the other, in words. */
export interface ChosenEngine {
  readonly engine: VerifyEngine
  readonly because?: string
}

/**
 * The engine of a verify: the set-based one, unless code says what some event does: that only the replay can run. Pure.
 *
 * @throws UsageError EW_ENGINE_SQL where the set-based one is asked for and can't know.
 */
export function chooseEngine(model: BoundModel, asked: VerifyEngine | undefined): ChosenEngine {
  const because = codeBecause(model)
  if (because === null) return { engine: asked ?? 'sql' }
  if (asked !== 'sql') return { engine: 'replay', because }
  const table = tableName({ schema: model.schema, name: model.table })
  throw new UsageError(
    'EW_ENGINE_SQL',
    `${table}: ${because}, which no SQL knows: it can't be verified by SQL`,
    {
      next: `Run \`eventward verify ${shellWord(table)}\`: it replays the events in TypeScript.`,
      details: { table, aggregate: model.name, events: eventsWithCode(model) },
    },
  )
}

/** Why a table is proven by replay alone, in words; null where it isn't. */
export function codeBecause(model: BoundModel): string | null {
  const events = eventsWithCode(model)
  return events.length === 0
    ? null
    : `code says what ${events.join(', ')} ${events.length === 1 ? 'does' : 'do'}`
}
