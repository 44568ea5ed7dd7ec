import type { Knex } from 'knex'
import type { Row } from '../definition/index.js'
import { streamOf } from '../recognise/index.js'
import type { ShownRow } from './any-command.js'
import { shownText } from './appended-event.js'
import type { AskTexts } from './attribute-texts.js'
import { refuseWrongEvents } from './built-events.js'
import type { Meaning } from './command-binding.js'
import { conflict } from './command-errors.js'
import type { Target } from './command-plan.js'
import type { Present } from './command-types.js'
import { rowsOf } from './fold-events.js'
import type { Loaded, Moment } from './load-row.js'
import { type Built, planEvents } from './planned-event.js'
import { keepModel } from './shown-state.js'

/** A target with all that it takes to say what events make of its row; nothing here asks a database but by `texts`. */
export interface Planning {
  readonly target: Target
  readonly binding: Meaning
  readonly texts: AskTexts
}

/** What the command decides upon. */
export interface Seen {
  /** Null where the row is to be made. */
  readonly loaded: Loaded | null
  readonly now: Moment
  /** Of a row to be made: what it was given as its key, and what the table gives. */
  readonly defaults: Row
}

/**
 * The events that were built, and the row before and after them.
 *
 * @throws UsageError EW_COMMAND_EVENT, EW_COMMAND_INVALID
 */
export async function plannedRows(
  { target, binding, texts }: Planning,
  { now, defaults, loaded }: Seen,
  built: readonly Built[],
) {
  refuseWrongEvents(target, binding, built)
  const { named, aggregate: definition } = target
  const events = await planEvents({ texts, binding, definition, named, now, built, defaults })
  return rowsOf(target, binding, { loaded, planned: events, defaults, now, named })
}

/** A row as commands see it. */
export function stateOf({ model }: Pick<Meaning, 'model'>, row: Row | null): ShownRow | null {
  if (row === null) return null
  const state = Object.fromEntries(
    model.columns.map(({ name, encoding }) => [name, shownText(encoding, row[name] ?? null)]),
  )
  return keepModel(Object.freeze(state), model)
}

/** What is known beside the state. */
export function presentOf(planning: Planning, seen: Seen, trx: () => Knex.Transaction): Present {
  const { binding } = planning
  const id = seen.loaded?.id ?? givenId(binding, seen.defaults)
  return Object.freeze({
    id,
    version: seen.loaded?.version ?? 0,
    now: seen.now.utc,
    get trx() {
      return trx()
    },
    after: async (events: Built | readonly Built[]) => {
      const { after } = await plannedRows(planning, seen, [events].flat() as readonly Built[])
      return stateOf(binding, after)
    },
  }) as Present
}

/** @throws ConflictError EW_CONFLICT where the stream has gone on since the caller looked. */
export function refuseOtherVersion({ target }: Planning, { loaded }: Seen, expected: number): void {
  const version = loaded?.version ?? 0
  if (version !== expected) throw conflict(target.named, { id: loaded?.id ?? null, version, expected })
}

/** The stream that a key names, where all of it is there. */
export function givenId({ model }: Pick<Meaning, 'model'>, given: Row): string | null {
  return model.key.every((name) => (given[name] ?? null) !== null) ? streamOf(model, given) : null
}
