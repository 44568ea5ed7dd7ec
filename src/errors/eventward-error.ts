export interface ErrorContext {
  /** What to do next: a command or an edit, in one sentence. */
  readonly next?: string
  /** Plain data for scripts: table, column, key, ... */
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** Exit status that the command line ends with; see DESIGN "Exit status". */
export type ExitStatus = 1 | 2 | 3 | 130

/**
 * The one error type of eventward. Recognise it by `code`, never by its text.
 * `message` says what is wrong and where; `next` what to do.
 */
export class EventwardError extends Error {
  override readonly name: string = 'EventwardError'
  readonly exitStatus: ExitStatus = 2
  readonly next: string | undefined
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    readonly code: `EW_${string}`,
    message: string,
    context: ErrorContext = {},
  ) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause })
    this.next = context.next
    this.details = context.details ?? {}
  }
}

/** Wrong use, wrong configuration or a wrong definition: nothing was changed. */
export class UsageError extends EventwardError {
  override readonly name = 'UsageError'
  override readonly exitStatus = 2
}

/** A gate refused, or something differs that must not. */
export class GateError extends EventwardError {
  override readonly name = 'GateError'
  override readonly exitStatus = 1
}

/** Someone else was faster: read again and decide anew. */
export class ConflictError extends EventwardError {
  override readonly name = 'ConflictError'
  override readonly exitStatus = 1
}

/** The database could not be reached, or failed. */
export class DatabaseError extends EventwardError {
  override readonly name = 'DatabaseError'
  override readonly exitStatus = 3
}

/** Stopped by the user; what was done is kept and can be resumed. */
export class StoppedError extends EventwardError {
  override readonly name = 'StoppedError'
  override readonly exitStatus = 130
}
