import type { EventwardError } from '../errors/index.js'

/** The function of one table. */
export interface TimeMachine {
  /** As the command line names it. */
  readonly table: string
  readonly aggregate: string
  /** With its schema, as SQL writes it; null where there is none. */
  readonly function: string | null
  /**
   * `on`; `stale`: columns or events have moved since, and it refuses until it's made anew; `missing`: someone dropped it;
   * `off`.
   */
  readonly state: 'on' | 'stale' | 'missing' | 'off'
}

export interface MadeTimeMachine extends TimeMachine {
  readonly function: string
  /** Columns whose type is no built-in one, or has changed: they are given as text. */
  readonly asText: readonly string[]
  readonly change: 'made' | 'replaced' | 'none'
}

/** A table for which none can be made. */
export interface RefusedTimeMachine {
  readonly table: string
  readonly aggregate: string
  readonly error: EventwardError
}
