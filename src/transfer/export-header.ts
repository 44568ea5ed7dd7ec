/** What the first line of an export says: all that a reader needs to fold the events behind it. */
export interface ExportHeader {
  readonly eventward: 'export'
  readonly format: 1
  /** Names this export: an import that goes on knows its file by it. */
  readonly export: string
  readonly tool: string
  /** timestamptz text in UTC. */
  readonly takenAt: string
  readonly source: {
    readonly database: string
    /** The environment label: `production`. */
    readonly label: string | null
    /** Of the server. */
    readonly version: string
    /** Cluster and database: a position means something there alone. */
    readonly identity: string
  }
  /** What it holds: the events that this snapshot (a pg_snapshot) sees, up to this position. */
  readonly snapshot: string
  readonly upTo: string
  /** Up to this position events were restored from another cluster: their transaction ids say nothing here, all are seen. */
  readonly restored: string
  /** The earlier export of whose snapshot it goes on, of those aggregates: such a file holds no whole streams of them. */
  readonly since: {
    readonly export: string
    readonly snapshot: string
    readonly restored: string
    readonly aggregates: readonly string[]
  } | null
  /** What was masked, and how; the salt, of hashes alone, is only told apart from others. */
  readonly masks: {
    readonly columns: Readonly<Record<string, Readonly<Record<string, string>>>>
    readonly metadata: readonly string[]
    readonly salt: string | null
  }
  readonly aggregates: readonly ExportedAggregate[]
}

export interface ExportedAggregate {
  readonly name: string
  readonly schema: string
  readonly table: string
  readonly key: readonly string[]
  /** Of the partition that holds its events; null where there is none yet. */
  readonly partition: string | null
  /** As it was installed last: what key and zone its events are read with. */
  readonly installed: ExportedInstall
  /** The stored columns of the live table. */
  readonly columns: readonly ExportedColumn[]
  /** The frozen meanings, in the order in which they were registered. */
  readonly definitions: readonly ExportedDefinition[]
  /** The oldest first. */
  readonly rowShapes: readonly { readonly id: string; readonly columns: readonly ExportedColumn[] }[]
  readonly epochs: readonly ExportedEpoch[]
}

export interface ExportedInstall {
  readonly definition: Readonly<Record<string, unknown>>
  readonly hash: string
  readonly rowShape: string | null
}

export interface ExportedColumn {
  readonly attnum: number
  readonly name: string
  readonly type: string
}

export interface ExportedDefinition {
  readonly type: string
  readonly schemaVersion: number
  readonly effect: string
  readonly hash: string
  /** In whose names it speaks of columns; null: in those of the oldest shape. */
  readonly rowShape: string | null
  readonly shape: {
    readonly data: readonly { readonly attribute: string; readonly column: string }[]
    readonly facts: readonly string[]
    readonly constants: readonly { readonly column: string; readonly value: string | null }[]
    readonly bound: readonly string[]
    readonly apply?: string
  }
}

export interface ExportedEpoch {
  readonly kind: string
  readonly attnum: number
  readonly name: string
  readonly before: string | null
  readonly after: string | null
}

/** The last line of a whole export. Counts are texts. */
export interface ExportFooter {
  readonly end: true
  readonly events: string
  readonly last: string | null
  /** Of all bytes before this line, as hex digits. */
  readonly sha256: string
}
