/** What `lint` says about a definition. */
export interface LintFinding {
  /** An error is wrong today or will be at the next event; a warning is for a person to weigh. */
  readonly level: 'error' | 'warning'
  readonly rule:
    | 'definition'
    | 'definition_changed'
    | 'past_tense'
    | 'column_unset'
    | 'overlap'
    | 'shadowed'
    | 'fact_without_schema'
    | 'stored_version'
    | 'upcast_nowhere'
    | 'upcast_incomplete'
  readonly table: string
  readonly aggregate: string
  /** The event that it's about, or null. */
  readonly event: string | null
  readonly message: string
  readonly next: string
}

/** A finding without where it stands. */
export type Said = Omit<LintFinding, 'table' | 'aggregate'>
