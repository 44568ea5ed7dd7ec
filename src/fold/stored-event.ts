/** An event as it is stored: what fold needs of it, as the texts that the server gave. */
export interface StoredEvent {
  readonly aggregateId: string
  /** 1, 2, ... in its stream: a version, not a stored value, so a number. */
  readonly version: number
  readonly type: string
  readonly schemaVersion: number
  /** jsonb's text output, unparsed: numbers keep every digit. */
  readonly data: string
  /** timestamptz text in UTC. */
  readonly occurredAt: string
  /** The same instant as timestamp text in the model's time zone, given by the server. Null where that is UTC. */
  readonly localTime: string | null
  /** jsonb's text output: under which row shape it was written. Absent for an event that isn't stored yet. */
  readonly metadata?: string
}

/** Why a stream can't be folded as it should, and at which version that shows first. */
export interface StreamProblem {
  /** `unreadable`: the definition's own code (an apply, an upcast) failed. */
  readonly kind: 'version_gap' | 'unknown_event' | 'unreadable' | 'not_created' | 'created_twice'
  readonly version: number
  /** What that code said. */
  readonly message?: string
}
