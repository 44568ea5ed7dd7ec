/**
 * The model: what a definition means, as plain frozen data.
 *
 * `AggregateDefinition` is what `defineAggregate` returns; it knows the generated table description alone.
 * `BoundModel` is the same, bound to a live catalog: constants in canonical text, predicates lowered to a small
 * core, every column of the table listed. Fold, recognise and the SQL compiler take the bound model only.
 */
import type { StandardSchemaV1 } from './standard-schema.js'

/** A column as `eventward.tables.ts` describes it. */
export interface ColumnDescription {
  /** The SQL type as `format_type` writes it, with its modifiers: `numeric(10,2)`, `timestamp with time zone`. */
  readonly type: string
  readonly nullable: boolean
  readonly hasDefault?: boolean
  /** A generated (computed) column: neither carried nor set by events. */
  readonly generated?: boolean
  /** Labels, where the type is an enum. */
  readonly values?: readonly string[]
  /** Where the type is a domain, the type under it: `timestamptz`, `int4`, as pg_type names it. */
  readonly base?: string
}

/** A table as `eventward.tables.ts` describes it. */
export interface TableDescription {
  readonly schema: string
  readonly name: string
  readonly key: readonly string[]
  readonly columns: Readonly<Record<string, ColumnDescription>>
}

/** A constant as a definition may write it; the server turns it into canonical text when it is bound. */
export type Constant = string | number | bigint | boolean | null

/** A condition over the row before and the row after a write. */
export type Predicate<Value = Constant> =
  | { readonly op: 'is'; readonly column: string; readonly value: Value }
  | { readonly op: 'was'; readonly column: string; readonly value: Value }
  | { readonly op: 'becomes'; readonly column: string; readonly value: Value }
  | { readonly op: 'becameNotNull'; readonly column: string }
  | { readonly op: 'changes'; readonly column: string }
  | { readonly op: 'and'; readonly of: readonly Predicate<Value>[] }
  | { readonly op: 'or'; readonly of: readonly Predicate<Value>[] }
  | { readonly op: 'not'; readonly of: Predicate<Value> }

/** How one column of `set` gets its value. */
export type Assignment =
  | { readonly kind: 'constant'; readonly column: string; readonly value: Constant }
  | { readonly kind: 'occurredAt'; readonly column: string }
  | {
      readonly kind: 'lookup'
      readonly column: string
      readonly table: TableDescription
      readonly where: Readonly<Record<string, Constant>>
    }

/** An attribute of an event and the column whose value it carries. */
export interface Carried {
  readonly attribute: string
  readonly column: string
}

export interface EventDefinition {
  readonly type: string
  readonly schemaVersion: number
  readonly creates: boolean
  readonly data: readonly Carried[]
  /** Names of attributes that no column holds; only a command gives them. */
  readonly facts: readonly string[]
  /** The schemas of the facts, by name: for commands. No part of the meaning of a stored event. */
  readonly factSchemas?: Readonly<Record<string, StandardSchemaV1>>
  readonly set: readonly Assignment[]
  readonly when: Predicate | null
  /** Columns that it has of the aggregate's `base`: these don't tell that a write means it. */
  readonly inherited?: readonly string[]
  /** What it does beyond `data` and `set`, in code. Such an event is given by commands alone, and never recognised. */
  readonly apply?: ByHand
}

/** What an event does, in code. */
export interface ByHand {
  readonly run: ApplyFunction
  /** What it is known by, so that a change of it is seen: its source text, or the version that it was given. */
  readonly known: string
}

/** The columns that an event changes, by name. The row as commands see it: texts, booleans, null. */
export type ApplyFunction = (
  state: Readonly<Record<string, string | boolean | null>>,
  event: ApplyEvent,
) => Readonly<Record<string, unknown>>

/** An event as a hand-written `apply` gets it: lifted to the schema version that the code has. */
export interface ApplyEvent {
  readonly type: string
  readonly id: string
  /** Attributes as commands see them, and facts. */
  readonly data: Readonly<Record<string, unknown>>
  /** timestamptz text in UTC. */
  readonly occurredAt: string
}

/** What a stored event's columns `type` and `schema_version` say. */
export interface StoredVersion {
  readonly type: string
  readonly schemaVersion: number
}

/** As what a stored version is read: one event, or several, or what a function says. */
export interface Upcast extends StoredVersion {
  readonly into: readonly UpcastTarget[] | UpcasterFunction
}

export interface UpcastTarget extends StoredVersion {
  readonly steps: readonly UpcastStep[]
}

export type UpcastStep =
  | { readonly op: 'rename'; readonly from: string; readonly to: string }
  | { readonly op: 'add'; readonly attribute: string; readonly value: Constant }
  | { readonly op: 'drop'; readonly attribute: string }
  | {
      readonly op: 'compute'
      readonly run: (data: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
    }

/** Gives the events as which one is read. */
export type UpcasterFunction = (
  event: StoredVersion & { readonly data: Readonly<Record<string, unknown>> },
) => UpcasterResult | readonly UpcasterResult[]

export interface UpcasterResult {
  readonly type: string
  /** @default the present one */
  readonly version?: number
  readonly data: Readonly<Record<string, unknown>>
}

export interface AggregateDefinition {
  readonly name: string
  readonly table: TableDescription
  /** In order of declaration. */
  readonly events: readonly EventDefinition[]
  readonly updatedAt: string | null
  /** The zone in which `timestamp` and `date` columns bound to `occurredAt` are read. */
  readonly timeZone: string
  readonly directWrites: 'capture' | 'refuse'
  readonly residue: { readonly changed: string; readonly deleted: string }
  /** Stored versions that are read as something else. */
  readonly upcasts?: readonly Upcast[]
}

// ── bound ────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * A value of a column: its type's output text under the pinned settings, or null for SQL NULL.
 * In TypeScript no stored value is anything else.
 */
export type Text = string | null

/** A row: column name -> text. Generated columns are left out. */
export type Row = Readonly<Record<string, Text>>

/** How a value stands in JSON. See `src/encode/column-codec.ts`. */
export type Encoding = 'number' | 'boolean' | 'jsonb' | 'text'

/** What `occurredAt` may be bound to. */
export type Temporal = 'timestamptz' | 'timestamp' | 'date'

export interface BoundColumn {
  readonly name: string
  readonly attnum: number
  /** SQL type to cast to when decoding: qualified, quoted, domains resolved, without modifiers: `pg_catalog.numeric`. */
  readonly castType: string
  /** SQL type as declared, with modifiers, for messages: `numeric(10,2)`. */
  readonly declaredType: string
  readonly encoding: Encoding
  /** True where the type's own `=` holds exactly when the output texts are equal (int4, uuid, text "C"; not numeric). */
  readonly faithful: boolean
  /** True for composite types, whose NULLness `is null` does not tell. */
  readonly composite: boolean
  /** True for text and varchar (also through domains): the output text is the value itself. */
  readonly plainText: boolean
  readonly nullable: boolean
  /**
   * Only where the compiled code runs under the application's settings, in a trigger: the SQL function (of any type,
   * giving text) that writes its canonical text; null where no setting changes that text.
   */
  readonly textBy?: string | null
  readonly temporal: Temporal | null
  /** False for a column that the catalog has and the definition's table description does not: carried in `$residue`. */
  readonly known: boolean
}

/** A condition, lowered: every value is canonical text. */
export type Condition =
  | { readonly op: 'creating' }
  /** after[column] has this text (null: is SQL NULL). */
  | { readonly op: 'afterIs'; readonly column: string; readonly value: Text }
  /** There is a row before and before[column] has this text. */
  | { readonly op: 'beforeIs'; readonly column: string; readonly value: Text }
  /** after[column] has another text than before[column]; nothing before counts as NULL. */
  | { readonly op: 'differs'; readonly column: string }
  | { readonly op: 'and'; readonly of: readonly Condition[] }
  | { readonly op: 'or'; readonly of: readonly Condition[] }
  | { readonly op: 'not'; readonly of: Condition }

/** What one stored (type, schema_version) does to a row. The unit that law 8 freezes. */
export interface EventShape {
  readonly type: string
  readonly schemaVersion: number
  /** 'creates' starts from nothing, 'deletes' ends in nothing, 'changes' builds on the row. */
  readonly effect: 'creates' | 'changes' | 'deletes'
  readonly data: readonly Carried[]
  readonly facts: readonly string[]
  /** Columns set to a constant, in canonical text (lookups resolved and pinned). */
  readonly constants: readonly { readonly column: string; readonly value: Text }[]
  /** Columns set to the time of occurrence. The first one triggers recognition and gives the time. */
  readonly bound: readonly string[]
  /** Where code does the rest: SHA-256 (hex) of what that code is known by. The set-based fold doesn't know it. */
  readonly apply?: string
}

/** An event as recognise uses it: its shape and the condition under which a write means it. */
export interface BoundEvent extends EventShape {
  readonly effect: 'creates' | 'changes'
  readonly condition: Condition
}

/**
 * Row shapes under which events were written, and what was adopted since. An event names its shape in its metadata: what
 * it says of a column is about the column's number, whatever it's called now.
 */
export interface RowHistory {
  /** The oldest first: events that name none of them were written under that one. The live table's is one of them. */
  readonly shapes: readonly RowShape[]
  /** What rows that were there already held in a column when it was added. */
  readonly added: readonly { readonly attnum: number; readonly text: Text }[]
}

export interface RowShape {
  /** What an event's metadata say. */
  readonly id: string
  readonly columns: readonly { readonly attnum: number; readonly name: string; readonly type: string }[]
}

export interface BoundModel {
  readonly name: string
  readonly schema: string
  readonly table: string
  readonly key: readonly string[]
  /** Every stored column of the live table but generated ones, in catalog order, key columns included. */
  readonly columns: readonly BoundColumn[]
  /** Declared events, in order of declaration, as the current code means them. */
  readonly events: readonly BoundEvent[]
  /** Every shape that a stored event may have: current ones, residue, and older frozen ones. Fold reads these only. */
  readonly shapes: readonly EventShape[]
  readonly updatedAt: string | null
  readonly timeZone: string
  readonly residue: { readonly changed: string; readonly deleted: string }
  /** Null or absent where all events speak of columns as the live table has them. */
  readonly history?: RowHistory | null
  /** What events do in code, by type. No part of the hash: `EventShape.apply` is. */
  readonly applies?: Readonly<Record<string, ApplyFunction>>
  /** Stored versions that are read as something else. No part of the meaning of a stored event that is known. */
  readonly upcasts?: readonly Upcast[]
  /** SHA-256 (hex) of the canonical JSON of the definition. */
  readonly hash: string
}

/** The member of `data` under which columns travel whose name would be taken for something else. */
export const RESIDUE_MEMBER = '$residue'
