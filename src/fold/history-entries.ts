import type { BoundModel, EventShape, Row, Text } from '../definition/index.js'
import { RESIDUE_MEMBER } from '../definition/index.js'
import { members } from '../encode/index.js'
import { compileFold, type Folder } from './compile-fold.js'
import type { StoredEvent } from './stored-event.js'

/** A column's text before and after an event; null for SQL NULL, or where there was no row. */
export interface ColumnChange {
  readonly column: string
  readonly before: Text
  readonly after: Text
}

/** What one event did to its row, and what else it says. */
export interface HistoryEntry<Event extends StoredEvent = StoredEvent> {
  readonly event: Event
  /** The row after it, null where there is none. */
  readonly row: Row | null
  /** Columns whose text it changed, in the table's order; without the key, which is the stream itself. */
  readonly changed: readonly ColumnChange[]
  /** True for the residue event: no declared event explains the change. */
  readonly residue: boolean
  /** Columns that it carries without declaring them, in the names of its writer: residue travels in a creation as well. */
  readonly undeclared: readonly string[]
  /** What no column holds, by name, as JSON text. */
  readonly facts: Readonly<Record<string, string>>
}

/**
 * The history of a stream: what each of its events, given in order of version, made of the row.
 *
 * @param before the row before the first of them: null where that is the stream's first event.
 */
export function historyEntries<Event extends StoredEvent>(
  model: BoundModel,
  events: Iterable<Event>,
  before: Row | null = null,
): readonly HistoryEntry<Event>[] {
  const folder = new HistoryFolder(model, before)
  return Array.from(events, (event) => folder.add(event))
}

/** The same, event by event, for streams that are read in pages. */
export class HistoryFolder {
  readonly #fold: Folder
  readonly #shapes: ReadonlyMap<string, EventShape>

  constructor(
    private readonly model: BoundModel,
    private row: Row | null = null,
  ) {
    this.#fold = compileFold(model)
    this.#shapes = new Map(model.shapes.map((shape) => [versionOf(shape), shape]))
  }

  add<Event extends StoredEvent>(event: Event): HistoryEntry<Event> {
    const before = this.row
    this.row = this.#fold(before, event)
    const shape = this.#shapes.get(versionOf(event))
    const residue = event.type === this.model.residue.changed
    return {
      event,
      row: this.row,
      changed: changedColumns(this.model, before, this.row),
      residue,
      ...carriedBy(event, residue ? undefined : shape, this.model),
    }
  }
}

/** Columns (but the key's) whose texts differ between two rows; null is "no row". */
export function changedColumns(
  model: BoundModel,
  before: Row | null,
  after: Row | null,
): readonly ColumnChange[] {
  return model.columns
    .filter(({ name }) => !model.key.includes(name))
    .map(({ name }) => ({ column: name, before: before?.[name] ?? null, after: after?.[name] ?? null }))
    .filter((change) => change.before !== change.after)
}

/** Of a residue event all columns are undeclared, which goes without saying. */
function carriedBy(
  { data }: StoredEvent,
  shape: EventShape | undefined,
  { updatedAt }: Pick<BoundModel, 'updatedAt'>,
): Pick<HistoryEntry, 'undeclared' | 'facts'> {
  if (shape === undefined || data === '{}' || !data.startsWith('{')) return { undeclared: [], facts: {} }
  const carried = members(data)
  const declared = new Set([...shape.facts, ...shape.data.map(({ attribute }) => attribute)])
  const reserved = declared.has(RESIDUE_MEMBER) ? undefined : carried.get(RESIDUE_MEMBER)
  // The column of the last update travels in any event.
  const names = [...carried.keys()].filter(
    (name) => !declared.has(name) && name !== RESIDUE_MEMBER && name !== updatedAt,
  )
  return {
    undeclared: [...names, ...(reserved?.startsWith('{') === true ? members(reserved).keys() : [])],
    facts: Object.fromEntries(
      shape.facts.flatMap((name) => {
        const raw = carried.get(name)
        return raw === undefined ? [] : [[name, raw]]
      }),
    ),
  }
}

function versionOf({ type, schemaVersion }: Pick<StoredEvent, 'type' | 'schemaVersion'>): string {
  return JSON.stringify([type, schemaVersion])
}
