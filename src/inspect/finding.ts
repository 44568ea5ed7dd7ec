/** What `doctor` says about one thing. */
export interface Finding {
  /** What was looked at: `version`, `row_security`. */
  readonly check: string
  readonly severity: 'ok' | 'info' | 'warn' | 'stop'
  /** The table it is about, or null. */
  readonly table: string | null
  readonly message: string
  /** What to do, or null where there's nothing to do. */
  readonly next: string | null
}

/** A finding that asks for nothing. */
export function fine(check: string, message: string, table: string | null = null): Finding {
  return { check, severity: 'ok', table, message, next: null }
}

/** A finding with its remedy. */
export function found(
  severity: 'info' | 'warn' | 'stop',
  check: string,
  message: string,
  next: string,
  table: string | null = null,
): Finding {
  return { check, severity, table, message, next }
}
