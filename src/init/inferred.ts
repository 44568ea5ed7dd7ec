/** What `init` inferred for one table: a definition as data, before it is written as code. */
export interface InferredAggregate {
  readonly name: string
  readonly schema: string
  readonly table: string
  readonly updatedAt: string | null
  /** Where a column without a time zone is bound to the time of occurrence. */
  readonly timeZone: string | null
  readonly events: readonly InferredEvent[]
}

export interface InferredEvent {
  readonly type: string
  readonly creates: boolean
  /** Columns that the event carries. */
  readonly data: readonly string[]
  /** Columns that it sets, to a text or to the time of occurrence. */
  readonly set: readonly InferredAssignment[]
}

export type InferredAssignment =
  | { readonly column: string; readonly kind: 'occurredAt' }
  | { readonly column: string; readonly kind: 'constant'; readonly value: string }

/** The statuses that a table's rows have now, by column; see `readStatuses`. */
export type ObservedStatuses = ReadonlyMap<string, readonly string[]>
